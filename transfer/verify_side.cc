#include "transfer/verify_side.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <unordered_set>
#include <utility>

namespace flaky {
namespace {

constexpr double kFetched = 256;  // about how many runs of a sample are fetched in full at once

// Chooses the same ids for the same share on every machine. A larger share includes the ids of a smaller one.
bool IsSampled(const std::string& run_id, double share) {
  return share >= 1 || std::ldexp(static_cast<double>(DigestOf(run_id).high), -64) < share;
}

}  // namespace

VerifySide::VerifySide(Store& store, const SideOptions& options, const StoreLimits& other)
    : store_(store), options_(options), page_converter_(other, store.name()), lookup_converter_(other, store.name()) {}

void VerifySide::Begin(const RunFilter& filter) {
  End();
  request_ = {};
  request_.filter = filter;
  request_.max_records = options_.limits.records;
  request_.max_bytes = options_.limits.bytes;
  if (options_.runs_only || options_.share < 1) request_.detail = Detail::kRunsOnly;
  if (options_.share < 1) {
    request_.max_records = std::min(request_.max_records, static_cast<size_t>(std::ceil(kFetched / options_.share)));
  }
  at_end_ = false;
  items_.clear();
  next_ = 0;
  pages_ = std::make_unique<Prefetch<Items>>([this] { return NextPage(); });
}

ComparedItem* VerifySide::Head() {
  while (next_ == items_.size()) {
    if (!pages_) return nullptr;
    std::optional<Items> page = pages_->Take();
    next_ = 0;
    items_ = page ? std::move(*page) : Items();
    if (page) {
      fresh_page_ = true;
    } else {
      pages_.reset();
    }
  }
  return &items_[next_];
}

std::optional<VerifySide::Items> VerifySide::NextPage() {
  if (at_end_) return std::nullopt;
  std::vector<RunRecord> records;
  std::unordered_set<std::string> converted;
  {
    const std::lock_guard lock(store_mutex_);
    Page page = store_.Read(request_);
    for (ConvertedRun& run : page.converted) converted.insert(std::move(run.run_id));
    at_end_ = !page.next;
    request_.after = std::move(page.next);
    records = options_.share < 1 ? Sampled(std::move(page.records)) : std::move(page.records);
  }
  Items items;
  items.reserve(records.size());
  for (RunRecord& record : records) {
    const bool is_converted = converted.contains(record.run.run_id);
    items.push_back(Prepare(page_converter_, std::move(record), is_converted));
  }
  return items;
}

// Returns the sampled runs of a page, with parts and failures unless runs_only, in page order.
std::vector<RunRecord> VerifySide::Sampled(std::vector<RunRecord> records) {
  std::erase_if(records, [&](const RunRecord& record) { return !IsSampled(record.run.run_id, options_.share); });
  if (options_.runs_only || records.empty()) return records;
  const std::vector<std::string> ids = RunIdsOf(records);
  std::unordered_map<std::string, RunRecord> full;
  for (RunRecord& record : store_.Fetch(ids)) {
    std::string run_id = record.run.run_id;
    full.emplace(std::move(run_id), std::move(record));
  }
  std::vector<RunRecord> sampled;
  sampled.reserve(ids.size());
  for (const std::string& run_id : ids) {
    if (const auto found = full.find(run_id); found != full.end()) sampled.push_back(std::move(found->second));
  }
  return sampled;
}

std::unordered_map<std::string, ComparedItem> VerifySide::Lookup(std::span<const std::string> run_ids) {
  std::vector<RunRecord> records;
  if (!run_ids.empty()) {
    const std::lock_guard lock(store_mutex_);
    records = store_.Fetch(run_ids);
  }
  std::unordered_map<std::string, ComparedItem> items;
  for (RunRecord& record : records) {
    std::string run_id = record.run.run_id;
    items.emplace(std::move(run_id), Prepare(lookup_converter_, std::move(record), false));
  }
  return items;
}

ComparedItem VerifySide::Prepare(RecordConverter& converter, RunRecord record, bool converted) const {
  if (options_.runs_only) {
    record.parts.clear();
    record.failures.clear();
    record.rosters.clear();
  }
  ComparedItem item{std::move(record), {}, converted};
  try {
    if (!converter.Fit(item.record).empty()) item.converted = true;
  } catch (const StoreError&) {
    // One of its ids is too large for the other side, which therefore cannot have the run.
  }
  item.fingerprint = FingerprintOf(item.record);
  return item;
}

}  // namespace flaky
