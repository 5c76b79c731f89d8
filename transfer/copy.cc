// SPDX-License-Identifier: MIT
#include "transfer/copy.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "history/merge.h"
#include "history/roster.h"
#include "transfer/prefetch.h"
#include "transfer/record_converter.h"

namespace flaky {
namespace {

// What the target holds of a batch.
struct TargetState {
  std::vector<RunRecord> records;
  std::vector<Digest> digests;
};

TargetState TargetStateOf(std::vector<RunRecord> records) {
  TargetState state{std::move(records), {}};
  state.digests.reserve(state.records.size());
  for (const RunRecord& record : state.records) state.digests.push_back(DigestOf(record));
  return state;
}

// A batch in flight, and what has been computed for it: digests on the reading thread, then the results of writing it.
struct InFlightBatch {
  std::vector<RunRecord> records;
  std::vector<ConvertedRun> converted;
  std::vector<Digest> digests;
  std::vector<WriteResult> results;  // empty in a dry run
  std::optional<TargetState> there;  // what the target holds, if the batch was not written
};

// Runs on the reading thread.
class Reader {
 public:
  Reader(Source& source, Sink& sink, const CopyOptions& options)
      : source_(source), options_(options), converter_(sink.limits(), sink.name()) {}

  std::optional<InFlightBatch> Next() {
    std::optional<Batch> read = source_.Next(options_.limits);
    if (!read) return std::nullopt;
    InFlightBatch batch;
    batch.converted = ConvertBatch(converter_, *read, options_.strict);
    batch.records = std::move(read->records);
    batch.digests.reserve(batch.records.size());
    for (const RunRecord& record : batch.records) batch.digests.push_back(DigestOf(record));
    return batch;
  }

 private:
  Source& source_;
  const CopyOptions& options_;
  RecordConverter converter_;
};

// Runs on the writing thread.
class Writer {
 public:
  Writer(Sink& sink, const CopyOptions& options) : sink_(sink), options_(options), look_first_(options.look_first) {}

  void Write(InFlightBatch& batch) {
    if (look_first_ || options_.dry_run) {
      batch.there = TargetStateOf(sink_.Present(RunIdsOf(batch.records)));
      if (options_.dry_run) return;
      if (AllThere(batch)) {
        batch.results.resize(batch.records.size(), {WriteResult::Outcome::kUnchanged, {}});
        return;
      }
      look_first_ = !batch.there->records.empty();
      batch.there.reset();
    }
    batch.results = sink_.Write(batch.records, OnExisting::kMerge);
    if (options_.on_conflict == OnConflict::kReplace) Replace(batch);
    look_first_ = look_first_ || std::ranges::any_of(batch.results, [](const WriteResult& result) {
                    return result.outcome != WriteResult::Outcome::kInserted;
                  });
  }

 private:
  static bool AllThere(const InFlightBatch& batch) {
    if (batch.there->records.size() != batch.records.size()) return false;
    std::unordered_map<std::string_view, size_t> places;
    for (size_t i = 0; i < batch.records.size(); ++i) places.emplace(batch.records[i].run.run_id, i);
    for (size_t i = 0; i < batch.there->records.size(); ++i) {
      const RunRecord& stored = batch.there->records[i];
      const auto place = places.find(stored.run.run_id);
      if (place == places.end()) return false;
      if (batch.there->digests[i] == batch.digests[place->second]) continue;
      if (MergeRecords(stored, batch.records[place->second]).outcome != MergeOutcome::kContained) return false;
    }
    return true;
  }

  // A replaced run's result keeps the reason of the conflict.
  void Replace(InFlightBatch& batch) {
    std::vector<size_t> places;
    std::vector<RunRecord> records;
    for (size_t i = 0; i < batch.results.size(); ++i) {
      if (batch.results[i].outcome != WriteResult::Outcome::kConflict) continue;
      places.push_back(i);
      records.push_back(batch.records[i]);
    }
    if (records.empty()) return;
    const std::vector<WriteResult> results = sink_.Write(records, OnExisting::kReplace);
    for (size_t i = 0; i < places.size(); ++i) batch.results[places[i]].outcome = results[i].outcome;
  }

  Sink& sink_;
  const CopyOptions& options_;
  bool look_first_;
};

// How one record that was sent, or would be sent, compares with what the target holds.
struct Verdict {
  CopyOutcome outcome = CopyOutcome::kUnchanged;
  std::string why;
  bool ahead = false;
};

class Copier {
 public:
  Copier(Sink& sink, const CopyOptions& options) : sink_(sink), options_(options) {}

  // Compares what was sent with what the target holds now, and counts it.
  void Settle(InFlightBatch& batch) {
    const std::vector<RunRecord>& records = batch.records;
    const TargetState state = batch.there ? std::move(*batch.there) : TargetStateOf(sink_.ReadBack(RunIdsOf(records)));
    std::unordered_map<std::string_view, size_t> by_id;
    for (size_t i = 0; i < state.records.size(); ++i) by_id.emplace(state.records[i].run.run_id, i);

    for (size_t i = 0; i < records.size(); ++i) {
      const auto found = by_id.find(records[i].run.run_id);
      const RunRecord* actual = found == by_id.end() ? nullptr : &state.records[found->second];
      const Digest actual_digest = actual == nullptr ? Digest() : state.digests[found->second];
      summary_.target_digest += actual_digest;
      summary_.source_digest += batch.digests[i];
      const bool equal = actual != nullptr && actual_digest == batch.digests[i];
      const Verdict verdict =
          options_.dry_run ? Foresee(records[i], actual, equal) : Judge(records[i], actual, equal, batch.results[i]);
      Count(records[i], verdict);
      if (options_.on_settled) options_.on_settled(records[i], verdict.outcome, verdict.why);
    }
    if (!batch.there) summary_.sent += static_cast<int64_t>(records.size());
    AddConverted(std::move(batch.converted), summary_.converted, summary_.converted_runs);
  }

  CopySummary& summary() { return summary_; }
  CopyProgress progress() const { return {summary_.runs, 0, summary_.failures, bytes_}; }

 private:
  // Returns what writing the record would do.
  Verdict Foresee(const RunRecord& record, const RunRecord* actual, bool equal) const {
    if (actual == nullptr) return {CopyOutcome::kCopied, {}, false};
    if (equal) return {};
    const Merge merge = MergeRecords(*actual, record);
    if (merge.outcome == MergeOutcome::kConflict) {
      const bool replace = options_.on_conflict == OnConflict::kReplace;
      return {replace ? CopyOutcome::kReplaced : CopyOutcome::kConflict, merge.conflict, false};
    }
    return {merge.outcome == MergeOutcome::kCompleted ? CopyOutcome::kCompleted : CopyOutcome::kUnchanged,
            {},
            merge.outcome == MergeOutcome::kContained};
  }

  // Returns what the write did, and whether the target now holds all of the record.
  Verdict Judge(const RunRecord& record, const RunRecord* actual, bool equal, const WriteResult& result) {
    if (result.outcome == WriteResult::Outcome::kConflict) return {CopyOutcome::kConflict, result.conflict, false};
    if (actual == nullptr) return {CopyOutcome::kDiffers, "it was written, but is missing when read back", false};
    bool ahead = false;
    if (!equal) {
      const Merge merge = MergeRecords(*actual, record);
      if (merge.outcome != MergeOutcome::kContained) {
        return {
            CopyOutcome::kDiffers,
            "it reads back differently from what was written" + (merge.conflict.empty() ? "" : ": " + merge.conflict),
            false};
      }
      ahead = true;
    }
    if (std::string why = MissingRoster(record, *actual); !why.empty())
      return {CopyOutcome::kDiffers, std::move(why), false};
    switch (result.outcome) {
      case WriteResult::Outcome::kInserted:
        return {CopyOutcome::kCopied, {}, ahead};
      case WriteResult::Outcome::kCompleted:
        return {CopyOutcome::kCompleted, {}, ahead};
      case WriteResult::Outcome::kReplaced:
        return {CopyOutcome::kReplaced, result.conflict, ahead};
      default:
        return {CopyOutcome::kUnchanged, {}, ahead};
    }
  }

  // The digest names rosters by the hash of their content, so each distinct roster is checked only once.
  std::string MissingRoster(const RunRecord& sent, const RunRecord& actual) {
    for (const RosterPtr& roster : sent.rosters) {
      if (verified_rosters_.contains(roster->roster_id)) continue;
      const auto same_id = [&](const RosterPtr& other) { return other->roster_id == roster->roster_id; };
      const auto found = std::find_if(actual.rosters.begin(), actual.rosters.end(), same_id);
      if (found == actual.rosters.end()) return "roster " + roster->roster_id + " is missing when read back";
      if (ContentId((*found)->tests) != roster->roster_id) return "roster " + roster->roster_id + " is damaged";
      if (verified_rosters_.size() >= kMaxRemembered) verified_rosters_.clear();
      verified_rosters_.insert(roster->roster_id);
    }
    return {};
  }

  int64_t& CounterOf(CopyOutcome outcome) {
    switch (outcome) {
      case CopyOutcome::kCopied:
        return summary_.copied;
      case CopyOutcome::kCompleted:
        return summary_.completed;
      case CopyOutcome::kUnchanged:
        return summary_.unchanged;
      case CopyOutcome::kConflict:
        return summary_.conflicts;
      case CopyOutcome::kReplaced:
        return summary_.replaced;
      case CopyOutcome::kDiffers:
        break;
    }
    return summary_.differing;
  }

  void Count(const RunRecord& record, const Verdict& verdict) {
    ++CounterOf(verdict.outcome);
    ++summary_.runs;
    summary_.parts += static_cast<int64_t>(record.parts.size());
    summary_.failures += static_cast<int64_t>(record.failures.size());
    summary_.ahead += verdict.ahead ? 1 : 0;
    bytes_ += static_cast<int64_t>(TextBytes(record));
    const bool is_finding = verdict.outcome == CopyOutcome::kConflict || verdict.outcome == CopyOutcome::kReplaced ||
                            verdict.outcome == CopyOutcome::kDiffers;
    if (is_finding && summary_.findings.size() < CopySummary::kMaxFindings) {
      summary_.findings.push_back({record.run.run_id, verdict.outcome, verdict.why});
    }
  }

  static constexpr size_t kMaxRemembered = 4096;

  Sink& sink_;
  const CopyOptions& options_;
  CopySummary summary_;
  int64_t bytes_ = 0;
  std::unordered_set<std::string> verified_rosters_;
};

}  // namespace

void AddConverted(std::vector<ConvertedRun> runs, int64_t& count, std::vector<ConvertedRun>& first) {
  count += static_cast<int64_t>(runs.size());
  const size_t room = CopySummary::kMaxFindings - first.size();
  const auto end = runs.begin() + static_cast<std::ptrdiff_t>(std::min(room, runs.size()));
  std::move(runs.begin(), end, std::back_inserter(first));
}

CopySummary Copy(Source& source, Sink& sink, const CopyOptions& options, Progress& progress) {
  progress.Begin(Phase::kCounting, 0);
  const std::optional<Totals> expected = source.Expected();
  const int64_t total_runs = expected ? expected->runs : 0;
  progress.Begin(options.dry_run ? Phase::kComparing : Phase::kCopying, total_runs);
  const auto report = [&](const Copier& copier) {
    CopyProgress now = copier.progress();
    now.total_runs = total_runs;
    return now;
  };

  Copier copier(sink, options);
  Reader reader(source, sink, options);
  Writer writer(sink, options);
  std::atomic<bool> ended = false;
  Prefetch<InFlightBatch> read([&] { return reader.Next(); });
  Prefetch<InFlightBatch> written([&]() -> std::optional<InFlightBatch> {
    if (ended) return std::nullopt;
    std::optional<InFlightBatch> next = read.Take();
    if (next) writer.Write(*next);
    return next;
  });
  while (std::optional<InFlightBatch> batch = written.Take()) {
    copier.Settle(*batch);
    if (options.on_batch_settled) options.on_batch_settled();
    progress.Update(report(copier));
    CopySummary& summary = copier.summary();
    summary.gave_up = options.on_conflict == OnConflict::kEnd && !options.dry_run && summary.conflicts > 0;
    summary.stopped = summary.stopped || (options.stop && options.stop());
    ended = summary.gave_up || summary.stopped;
  }
  if (!options.dry_run) {
    progress.Begin(Phase::kFinishing, 0);
    sink.Finish();
  }
  progress.Done(report(copier));
  return std::move(copier.summary());
}

}  // namespace flaky
