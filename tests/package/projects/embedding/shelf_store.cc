// SPDX-License-Identifier: MIT
#include "shelf_store.h"

#include <algorithm>
#include <ranges>
#include <tuple>
#include <vector>

#include "stores/record_check.h"
#include "stores/resolution.h"

namespace {

using namespace flaky;

bool IsWanted(const Run& run, const RunFilter& filter) {
  const Timestamp started = run.account.started_at;
  return (!filter.project || run.project == *filter.project) && (!filter.since || started >= *filter.since) &&
         (!filter.until || started < *filter.until);
}

class ShelfStore : public Store {
 public:
  ShelfStore(std::shared_ptr<Shelf> shelf, OpenMode mode, std::string name)
      : shelf_(std::move(shelf)), mode_(mode), name_(std::move(name)) {}

  const std::string& name() const override { return name_; }
  SchemaState schema() override { return {}; }

  std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting on_existing) override {
    ExpectWritable("write runs");
    RecordCheck check(name_);
    for (const RunRecord& record : records) check.Check(record);
    const std::lock_guard lock(shelf_->mutex);
    std::vector<WriteResult> results;
    for (const RunRecord& record : records) results.push_back(PutOne(record, on_existing));
    return results;
  }

  CopyClaim Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of) override {
    ExpectWritable("claim the store");
    const std::lock_guard lock(shelf_->mutex);
    const auto now = std::chrono::steady_clock::now();
    std::string& held_by = shelf_->claim.holder;
    if (held_by.empty() || held_by == holder || held_by == instead_of || shelf_->claim_lapses <= now) {
      held_by = lease.count() > 0 ? holder : "";
      shelf_->claim_lapses = now + lease;
    }
    if (held_by.empty()) return {};
    return {held_by, std::chrono::ceil<std::chrono::seconds>(shelf_->claim_lapses - now)};
  }

  Page Read(const PageRequest& request) override {
    const std::lock_guard lock(shelf_->mutex);
    std::vector<const RunRecord*> wanted;
    for (const auto& [key, stored] : shelf_->records) wanted.push_back(&stored.record);
    const bool oldest_first = request.direction == Direction::kOldestFirst;
    if (!oldest_first) std::ranges::reverse(wanted);
    std::erase_if(wanted, [&](const RunRecord* record) {
      if (!IsWanted(record->run, request.filter)) return true;
      if (!request.after) return false;
      const auto key = std::tie(record->run.account.started_at, record->run.run_id);
      const auto after = std::tie(request.after->started_at, request.after->run_id);
      return oldest_first ? key <= after : key >= after;
    });

    Page page;
    size_t bytes = 0;
    for (const RunRecord* record : wanted) {
      if (!page.records.empty() && (page.records.size() >= request.max_records || bytes >= request.max_bytes)) {
        const Run& last = page.records.back().run;
        page.next = RunKey{last.account.started_at, last.run_id};
        break;
      }
      for (const Failure& failure : record->failures) bytes += failure.error_message.value_or("").size();
      page.records.push_back(request.detail == Detail::kFull ? *record : RunRecord{record->run, {}, {}, {}});
    }
    return page;
  }

  std::vector<RunRecord> Fetch(std::span<const std::string> run_ids) override {
    const std::lock_guard lock(shelf_->mutex);
    std::vector<RunRecord> found;
    for (const std::string& run_id : run_ids) {
      if (const auto at = Find(run_id); at != shelf_->records.end()) found.push_back(at->second.record);
    }
    return found;
  }

  std::vector<std::string> FindRuns(std::string_view prefix, size_t limit) override {
    const std::lock_guard lock(shelf_->mutex);
    std::vector<std::string> found;
    for (const auto& [key, stored] : shelf_->records) {
      if (key.second.starts_with(prefix)) found.push_back(key.second);
    }
    std::ranges::sort(found);
    found.resize(std::min(found.size(), limit));
    return found;
  }

  void VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor) override {
    const std::lock_guard lock(shelf_->mutex);
    using Order = std::pair<Timestamp, int64_t>;
    std::map<Order, std::pair<const Run*, const Failure*>> all;
    for (const auto& [key, stored] : shelf_->records) {
      for (size_t i = 0; i < stored.failure_ids.size(); ++i) {
        const Failure& failure = stored.record.failures[i];
        all[{failure.failed_at, stored.failure_ids[i]}] = {&stored.record.run, &failure};
      }
    }
    for (const auto& [order, place] : all) {
      const auto& [run, failure] = place;
      if ((filter.project && run->project != *filter.project) || (filter.after && order.first <= *filter.after) ||
          (filter.test_name && failure->test_name != *filter.test_name) ||
          (filter.behind && order <= Order(filter.behind->failed_at, filter.behind->id)) ||
          (!filter.ids.empty() &&
           std::ranges::find(filter.ids, FailureId{run->run_id, order.second}) == filter.ids.end())) {
        continue;
      }
      FailureView view;
      view.id = order.second;
      view.run_id = run->run_id;
      view.test_file = failure->test_file;
      view.test_name = failure->test_name;
      view.failure_kind = failure->failure_kind;
      if (failure->error_message) view.error_message = filter.texts ? std::string_view(*failure->error_message) : "";
      if (failure->error_stack) view.error_stack = filter.texts ? std::string_view(*failure->error_stack) : "";
      view.failed_at = failure->failed_at;
      view.run_ended = run->account.ended_at.has_value();
      view.run_failed_tests = run->account.failed_tests;
      visitor(view);
    }
  }

  Totals Count(const RunFilter& filter) override {
    const std::lock_guard lock(shelf_->mutex);
    Totals totals;
    for (const auto& [key, stored] : shelf_->records) {
      if (!IsWanted(stored.record.run, filter)) continue;
      ++totals.runs;
      totals.parts += static_cast<int64_t>(stored.record.parts.size());
      totals.failures += static_cast<int64_t>(stored.record.failures.size());
    }
    return totals;
  }

 private:
  void ExpectWritable(const std::string& operation) const {
    if (mode_ != OpenMode::kRead) return;
    throw StoreError(ErrorKind::kInvalid, name_, operation, "", "it was opened for reading only");
  }

  decltype(Shelf::records)::iterator Find(const std::string& run_id) {
    return std::ranges::find_if(shelf_->records, [&](const auto& entry) { return entry.first.second == run_id; });
  }

  // Resolve decides what happens to a second record of a run.
  WriteResult PutOne(const RunRecord& record, OnExisting on_existing) {
    const auto known = Find(record.run.run_id);
    if (known == shelf_->records.end()) {
      Keep(record);
      return {};
    }
    Resolution resolution = Resolve(known->second.record, record, on_existing);
    if (resolution.Changes()) {
      shelf_->records.erase(known);
      Keep(std::move(resolution.record));
    }
    return std::move(resolution.result);
  }

  void Keep(RunRecord record) {
    ShelfRecord stored{std::move(record), {}};
    for (size_t i = 0; i < stored.record.failures.size(); ++i) stored.failure_ids.push_back(++shelf_->last_failure_id);
    const Run& run = stored.record.run;
    shelf_->records.emplace(std::pair(run.account.started_at, run.run_id), std::move(stored));
  }

  const std::shared_ptr<Shelf> shelf_;
  const OpenMode mode_;
  const std::string name_;
};

std::unique_ptr<Store> OpenNamedShelf(const Location& location, OpenMode mode) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<Shelf>> shelves;
  const std::lock_guard lock(mutex);
  std::shared_ptr<Shelf>& shelf = shelves[location.address.Reveal() + "?" + location.prefix];
  if (shelf == nullptr) {
    if (mode == OpenMode::kRead) {
      throw StoreError(ErrorKind::kMissing, location.display_name, "open the store", "", "there is no such shelf");
    }
    shelf = std::make_shared<Shelf>();
  }
  return std::make_unique<ShelfStore>(shelf, mode, location.display_name);
}

}  // namespace

const SchemeInfo kShelfScheme = {.name = "shelf", .address_form = "shelf:NAME"};
const Driver kShelfDriver = {.name = "shelf", .open = OpenNamedShelf};

std::unique_ptr<flaky::Store> OpenShelf(std::shared_ptr<Shelf> shelf, flaky::OpenMode mode) {
  return std::make_unique<ShelfStore>(std::move(shelf), mode, "shelf:");
}
