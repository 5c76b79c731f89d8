#include "transfer/copy.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "history/merge.h"
#include "history/roster.h"
#include "transfer/prefetch.h"

namespace flaky {
namespace {

// A batch on its way: with what is done and computed of it beside the reading, then with what the writing said.
struct Written {
  Batch batch;
  std::vector<CutRun> cut_runs;
  std::vector<Digest> digests;
  std::vector<WriteResult> results;
};

std::optional<Written> ReadNext(Source& source, const BatchLimits& limits, const StoreLimits& target,
                                const std::string& target_name) {
  std::optional<Batch> batch = source.Next(limits);
  if (!batch) return std::nullopt;
  Written next{std::move(*batch), {}, {}, {}};
  next.digests.reserve(next.batch.records.size());
  for (RunRecord& record : next.batch.records) {
    if (std::vector<Cut> cuts = Fit(record, target, target_name); !cuts.empty()) {
      next.cut_runs.push_back({record.run.run_id, std::move(cuts)});
    }
    next.digests.push_back(DigestOf(record));
  }
  return next;
}

// What the target says of one record that was sent, or that would be.
struct Verdict {
  Fate fate = Fate::kUnchanged;
  std::string why;
  bool ahead = false;
};

class Copier {
 public:
  Copier(Sink& sink, const CopyOptions& options) : sink_(sink), options_(options) {}

  // Reads back what `sent` became and counts it. Under a dry run `sent.results` is empty.
  void Settle(const Written& sent) {
    const std::vector<RunRecord>& records = sent.batch.records;
    std::vector<std::string> ids;
    ids.reserve(records.size());
    for (const RunRecord& record : records) ids.push_back(record.run.run_id);
    const std::vector<RunRecord> stored = sink_.ReadBack(ids);
    std::unordered_map<std::string_view, const RunRecord*> by_id;
    for (const RunRecord& record : stored) by_id.emplace(record.run.run_id, &record);

    for (size_t i = 0; i < records.size(); ++i) {
      const auto found = by_id.find(records[i].run.run_id);
      const RunRecord* actual = found == by_id.end() ? nullptr : found->second;
      Digest actual_digest;
      if (actual != nullptr) {
        actual_digest = DigestOf(*actual);
        account_.target_digest += actual_digest;
      }
      account_.source_digest += sent.digests[i];
      const bool equal = actual != nullptr && actual_digest == sent.digests[i];
      const Verdict verdict =
          options_.dry_run ? Foresee(records[i], actual, equal) : Judge(records[i], actual, equal, sent.results[i]);
      Count(records[i], verdict);
      if (options_.on_settled) options_.on_settled(records[i], verdict.fate, verdict.why);
    }
    account_.cut += static_cast<int64_t>(sent.cut_runs.size());
    const size_t room = CopyAccount::kMaxFindings - account_.cut_runs.size();
    std::ranges::copy_n(sent.cut_runs.begin(), static_cast<std::ptrdiff_t>(std::min(room, sent.cut_runs.size())),
                        std::back_inserter(account_.cut_runs));
  }

  CopyAccount& account() { return account_; }
  CopyProgress progress() const { return {account_.runs, 0, account_.failures, bytes_}; }

 private:
  // What a write of the record would do.
  static Verdict Foresee(const RunRecord& record, const RunRecord* actual, bool equal) {
    if (actual == nullptr) return {Fate::kCopied, {}, false};
    if (equal) return {};
    const Merge merge = MergeRecords(*actual, record);
    if (merge.outcome == MergeOutcome::kConflict) return {Fate::kConflict, merge.conflict, false};
    return {merge.outcome == MergeOutcome::kCompleted ? Fate::kCompleted : Fate::kUnchanged,
            {},
            merge.outcome == MergeOutcome::kContained};
  }

  // What the write did, and whether the target now holds all of the record.
  Verdict Judge(const RunRecord& record, const RunRecord* actual, bool equal, const WriteResult& result) {
    if (result.outcome == WriteResult::Outcome::kConflict) return {Fate::kConflict, result.conflict, false};
    if (actual == nullptr) return {Fate::kDiffers, "it was written, but is not there when read back", false};
    bool ahead = false;
    if (!equal) {
      const Merge merge = MergeRecords(*actual, record);
      if (merge.outcome != MergeOutcome::kContained) {
        return {Fate::kDiffers,
                "read back it is not what was written" + (merge.conflict.empty() ? "" : ": " + merge.conflict), false};
      }
      ahead = true;
    }
    if (std::string why = MissingRoster(record, *actual); !why.empty()) return {Fate::kDiffers, std::move(why), false};
    switch (result.outcome) {
      case WriteResult::Outcome::kInserted:
        return {Fate::kCopied, {}, ahead};
      case WriteResult::Outcome::kCompleted:
        return {Fate::kCompleted, {}, ahead};
      default:
        return {Fate::kUnchanged, {}, ahead};
    }
  }

  // The digest names rosters by the hash of their content, so each distinct one is looked at once.
  std::string MissingRoster(const RunRecord& sent, const RunRecord& actual) {
    for (const RosterPtr& roster : sent.rosters) {
      if (verified_rosters_.contains(roster->roster_id)) continue;
      const auto same_id = [&](const RosterPtr& other) { return other->roster_id == roster->roster_id; };
      const auto found = std::find_if(actual.rosters.begin(), actual.rosters.end(), same_id);
      if (found == actual.rosters.end()) return "roster " + roster->roster_id + " is not there when read back";
      if (RosterId((*found)->tests) != roster->roster_id) return "roster " + roster->roster_id + " is damaged";
      if (verified_rosters_.size() >= kMaxRemembered) verified_rosters_.clear();
      verified_rosters_.insert(roster->roster_id);
    }
    return {};
  }

  void Count(const RunRecord& record, const Verdict& verdict) {
    int64_t* const counts[] = {&account_.copied, &account_.completed, &account_.unchanged, &account_.conflicts,
                               &account_.differing};
    ++*counts[static_cast<size_t>(verdict.fate)];
    ++account_.runs;
    account_.parts += static_cast<int64_t>(record.parts.size());
    account_.failures += static_cast<int64_t>(record.failures.size());
    account_.ahead += verdict.ahead ? 1 : 0;
    bytes_ += static_cast<int64_t>(TextBytes(record));
    const bool is_finding = verdict.fate == Fate::kConflict || verdict.fate == Fate::kDiffers;
    if (is_finding && account_.findings.size() < CopyAccount::kMaxFindings) {
      account_.findings.push_back({record.run.run_id, verdict.fate, verdict.why});
    }
  }

  static constexpr size_t kMaxRemembered = 4096;

  Sink& sink_;
  const CopyOptions& options_;
  CopyAccount account_;
  int64_t bytes_ = 0;
  std::unordered_set<std::string> verified_rosters_;
};

}  // namespace

CopyAccount Copy(Source& source, Sink& sink, const CopyOptions& options, Progress& progress) {
  progress.Begin(Phase::kCounting, 0);
  const std::optional<Totals> expected = source.Expected();
  const int64_t total_runs = expected ? expected->runs : 0;
  progress.Begin(options.dry_run ? Phase::kComparing : Phase::kCopying, total_runs);
  const auto report = [&](const Copier& copier) {
    CopyProgress now = copier.progress();
    now.total_runs = total_runs;
    return now;
  };

  const StoreLimits target = sink.limits();
  Copier copier(sink, options);
  std::atomic<bool> stopped = false;
  Prefetch<Written> read([&] { return ReadNext(source, options.limits, target, sink.name()); });
  Prefetch<Written> written([&]() -> std::optional<Written> {
    if (stopped) return std::nullopt;
    std::optional<Written> next = read.Take();
    if (next && !options.dry_run) next->results = sink.Write(next->batch.records);
    return next;
  });
  while (std::optional<Written> batch = written.Take()) {
    copier.Settle(*batch);
    progress.Update(report(copier));
    if (options.stop && options.stop()) stopped = true;
  }
  copier.account().stopped = stopped;
  if (!options.dry_run) {
    progress.Begin(Phase::kFinishing, 0);
    sink.Finish();
  }
  progress.Done(report(copier));
  return std::move(copier.account());
}

}  // namespace flaky
