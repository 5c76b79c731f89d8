// SPDX-License-Identifier: MIT
#include "stores/memory/memory_store.h"

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "stores/record_check.h"
#include "stores/resolution.h"

namespace flaky {

class MemoryHistory {
 public:
  explicit MemoryHistory(MemoryClock now) : clock(std::move(now)) {}

  const MemoryClock clock;
  using Key = std::pair<Timestamp, std::string>;

  std::mutex mutex;
  using FailureOrder = std::pair<Timestamp, int64_t>;  // failed_at, id
  struct FailurePlace {
    const RunRecord* record;
    size_t index;
  };

  std::map<Key, RunRecord> records;             // in the order of pages
  std::map<std::string, Timestamp> started_at;  // by run id, in the order of FindRuns
  std::unordered_map<std::string, RosterPtr> rosters;
  std::map<FailureOrder, FailurePlace> failures;
  int64_t last_failure_id = 0;
  std::string claim_holder;
  std::chrono::steady_clock::time_point claim_lapses;

  RunRecord* Find(const std::string& run_id) {
    const auto at = started_at.find(run_id);
    return at == started_at.end() ? nullptr : &records.at({at->second, run_id});
  }
  void Put(RunRecord record) {
    const std::string run_id = record.run.run_id;
    if (const auto at = started_at.find(run_id); at != started_at.end()) {
      const auto old = records.find({at->second, run_id});
      std::erase_if(failures, [&](const auto& failure) { return failure.second.record == &old->second; });
      records.erase(old);
    }
    for (RosterPtr& roster : record.rosters) roster = rosters.emplace(roster->roster_id, roster).first->second;
    started_at[run_id] = record.run.account.started_at;
    const Key key(record.run.account.started_at, run_id);
    const RunRecord& kept = records.emplace(key, std::move(record)).first->second;
    for (size_t i = 0; i < kept.failures.size(); ++i) {
      failures.emplace(FailureOrder(kept.failures[i].failed_at, ++last_failure_id), FailurePlace{&kept, i});
    }
  }
};

namespace {

size_t SizeOf(const std::optional<std::string>& text) { return text ? text->size() : 0; }

size_t TextBytesOf(const RunRecord& record) {
  size_t bytes = record.run.run_id.size() + SizeOf(record.run.test_args);
  for (const Failure& failure : record.failures) {
    bytes += failure.test_file.size() + failure.test_name.size() + SizeOf(failure.error_message) +
             SizeOf(failure.error_stack);
  }
  return bytes;
}

bool Matches(const Run& run, const RunFilter& filter) {
  if (filter.project && run.project != *filter.project) return false;
  if (filter.since && run.account.started_at < *filter.since) return false;
  return !filter.until || run.account.started_at < *filter.until;
}

class MemoryStore : public Store {
 public:
  MemoryStore(std::shared_ptr<MemoryHistory> history, OpenMode mode, std::string name)
      : history_(std::move(history)), mode_(mode), name_(std::move(name)) {}

  const std::string& name() const override { return name_; }
  SchemaState schema() override { return {}; }

  std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting on_existing) override {
    CheckMayWrite("write runs");
    RecordCheck check(name_);
    for (const RunRecord& record : records) check.Check(record);
    const std::lock_guard lock(history_->mutex);
    std::vector<WriteResult> results;
    for (const RunRecord& record : records) results.push_back(WriteOne(record, on_existing));
    return results;
  }

  CopyClaim Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of) override {
    CheckMayWrite("claim the store");
    const std::lock_guard lock(history_->mutex);
    const auto now = history_->clock();
    std::string& held_by = history_->claim_holder;
    if (held_by.empty() || held_by == holder || held_by == instead_of || history_->claim_lapses <= now) {
      held_by = lease.count() > 0 ? holder : "";
      history_->claim_lapses = now + lease;
    }
    if (held_by.empty()) return {};
    return {held_by, std::chrono::ceil<std::chrono::seconds>(history_->claim_lapses - now)};
  }

  Page Read(const PageRequest& request) override {
    const std::lock_guard lock(history_->mutex);
    const auto& records = history_->records;
    const auto key =
        request.after ? MemoryHistory::Key(request.after->started_at, request.after->run_id) : MemoryHistory::Key();
    if (request.direction == Direction::kOldestFirst) {
      return PageOf(request, request.after ? records.upper_bound(key) : records.begin(), records.end());
    }
    const auto behind = request.after ? records.lower_bound(key) : records.end();
    return PageOf(request, std::make_reverse_iterator(behind), records.rend());
  }

  std::vector<RunRecord> Fetch(std::span<const std::string> run_ids) override {
    const std::lock_guard lock(history_->mutex);
    std::vector<RunRecord> found;
    for (const std::string& run_id : run_ids) {
      if (const RunRecord* record = history_->Find(run_id)) found.push_back(*record);
    }
    return found;
  }

  std::vector<std::string> FindRuns(std::string_view prefix, size_t limit) override {
    const std::lock_guard lock(history_->mutex);
    std::vector<std::string> found;
    const auto& ids = history_->started_at;
    for (auto at = ids.lower_bound(std::string(prefix)); at != ids.end() && found.size() < limit; ++at) {
      if (!at->first.starts_with(prefix)) break;
      found.push_back(at->first);
    }
    return found;
  }

  void VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor) override {
    const std::lock_guard lock(history_->mutex);
    const auto& failures = history_->failures;
    auto at = failures.begin();
    if (filter.after) at = failures.upper_bound({*filter.after, std::numeric_limits<int64_t>::max()});
    if (filter.behind) {
      const auto behind = failures.upper_bound({filter.behind->failed_at, filter.behind->id});
      if (at != failures.end() && (behind == failures.end() || at->first < behind->first)) at = behind;
    }
    for (; at != failures.end(); ++at) {
      const Run& run = at->second.record->run;
      const Failure& failure = at->second.record->failures[at->second.index];
      if (filter.project && run.project != *filter.project) continue;
      if (filter.test_name && failure.test_name != *filter.test_name) continue;
      const FailureId row{run.run_id, at->first.second};
      if (!filter.ids.empty() && std::ranges::find(filter.ids, row) == filter.ids.end()) continue;
      FailureView view{at->first.second,
                       run.run_id,
                       failure.test_file,
                       failure.test_name,
                       failure.failure_kind,
                       std::nullopt,
                       std::nullopt,
                       failure.failed_at,
                       run.account.ended_at.has_value(),
                       run.account.failed_tests};
      if (failure.error_message) view.error_message = filter.texts ? std::string_view(*failure.error_message) : "";
      if (failure.error_stack) view.error_stack = filter.texts ? std::string_view(*failure.error_stack) : "";
      visitor(view);
    }
  }

  Totals Count(const RunFilter& filter) override {
    const std::lock_guard lock(history_->mutex);
    Totals totals;
    for (const auto& [key, record] : history_->records) {
      if (!Matches(record.run, filter)) continue;
      ++totals.runs;
      totals.parts += static_cast<int64_t>(record.parts.size());
      totals.failures += static_cast<int64_t>(record.failures.size());
    }
    return totals;
  }

 private:
  void CheckMayWrite(const std::string& operation) const {
    if (mode_ != OpenMode::kRead) return;
    throw StoreError(ErrorKind::kInvalid, name_, operation, "", "it was opened for reading only");
  }

  WriteResult WriteOne(const RunRecord& record, OnExisting on_existing) {
    const RunRecord* known = history_->Find(record.run.run_id);
    if (known == nullptr) {
      history_->Put(record);
      return {WriteResult::Outcome::kInserted, {}};
    }
    Resolution resolution = Resolve(*known, record, on_existing);
    if (resolution.Changes()) history_->Put(std::move(resolution.record));
    return std::move(resolution.result);
  }

  template <typename Iterator>
  static Page PageOf(const PageRequest& request, Iterator at, Iterator end) {
    Page page;
    size_t bytes = 0;
    for (; at != end; ++at) {
      const RunRecord& record = at->second;
      if (!Matches(record.run, request.filter)) continue;
      if (!page.records.empty() && (page.records.size() >= request.max_records || bytes >= request.max_bytes)) {
        const Run& last = page.records.back().run;
        page.next = RunKey{last.account.started_at, last.run_id};
        break;
      }
      bytes += TextBytesOf(record);
      if (request.detail == Detail::kRunsOnly) {
        page.records.push_back({record.run, {}, {}, {}});
      } else {
        page.records.push_back(record);
      }
    }
    return page;
  }

  std::shared_ptr<MemoryHistory> history_;
  OpenMode mode_;
  std::string name_;
};

}  // namespace

std::shared_ptr<MemoryHistory> MakeMemoryHistory(MemoryClock clock) {
  return std::make_shared<MemoryHistory>(std::move(clock));
}

std::unique_ptr<Store> OpenMemory(std::shared_ptr<MemoryHistory> history, OpenMode mode, std::string name) {
  return std::make_unique<MemoryStore>(std::move(history), mode, std::move(name));
}

}  // namespace flaky
