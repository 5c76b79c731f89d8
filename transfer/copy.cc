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

// What the target has of a batch.
struct TargetState {
  std::vector<RunRecord> records;
  std::vector<Digest> digests;
};

TargetState HoldingOf(std::vector<RunRecord> records) {
  TargetState holding{std::move(records), {}};
  holding.digests.reserve(holding.records.size());
  for (const RunRecord& record : holding.records) holding.digests.push_back(DigestOf(record));
  return holding;
}

// A batch on its way: with what is done and computed of it beside the reading, then with what the writing said.
struct InFlightBatch {
  std::vector<RunRecord> records;
  std::vector<ConvertedRun> converted;
  std::vector<Digest> digests;
  std::vector<WriteResult> results;  // empty under a dry run
  std::optional<TargetState> there;  // where it was not written: what the target has
};

// Reads, on a thread of its own.
class Reader {
 public:
  Reader(Source& source, Sink& sink, const CopyOptions& options)
      : source_(source), options_(options), fitter_(sink.limits(), sink.name()) {}

  std::optional<InFlightBatch> Next() {
    std::optional<Batch> batch = source_.Next(options_.limits);
    if (!batch) return std::nullopt;
    InFlightBatch piece;
    piece.converted = ConvertBatch(fitter_, *batch, options_.strict);
    piece.records = std::move(batch->records);
    piece.digests.reserve(piece.records.size());
    for (const RunRecord& record : piece.records) piece.digests.push_back(DigestOf(record));
    return piece;
  }

 private:
  Source& source_;
  const CopyOptions& options_;
  RecordConverter fitter_;
};

// Writes, on a thread of its own.
class Writer {
 public:
  Writer(Sink& sink, const CopyOptions& options) : sink_(sink), options_(options), look_first_(options.look_first) {}

  void Write(InFlightBatch& piece) {
    if (look_first_ || options_.dry_run) {
      piece.there = HoldingOf(sink_.Present(RunIdsOf(piece.records)));
      if (options_.dry_run) return;
      if (AllThere(piece)) {
        piece.results.resize(piece.records.size(), {WriteResult::Outcome::kUnchanged, {}});
        return;
      }
      look_first_ = !piece.there->records.empty();
      piece.there.reset();
    }
    piece.results = sink_.Write(piece.records, OnExisting::kMerge);
    if (options_.on_conflict == OnConflict::kReplace) Replace(piece);
    look_first_ = look_first_ || std::ranges::any_of(piece.results, [](const WriteResult& result) {
                    return result.outcome != WriteResult::Outcome::kInserted;
                  });
  }

 private:
  static bool AllThere(const InFlightBatch& piece) {
    if (piece.there->records.size() != piece.records.size()) return false;
    std::unordered_map<std::string_view, size_t> places;
    for (size_t i = 0; i < piece.records.size(); ++i) places.emplace(piece.records[i].run.run_id, i);
    for (size_t i = 0; i < piece.there->records.size(); ++i) {
      const RunRecord& stored = piece.there->records[i];
      const auto place = places.find(stored.run.run_id);
      if (place == places.end()) return false;
      if (piece.there->digests[i] == piece.digests[place->second]) continue;
      if (MergeRecords(stored, piece.records[place->second]).outcome != MergeOutcome::kContained) return false;
    }
    return true;
  }

  // A replaced run's result says what contradicted.
  void Replace(InFlightBatch& piece) {
    std::vector<size_t> places;
    std::vector<RunRecord> records;
    for (size_t i = 0; i < piece.results.size(); ++i) {
      if (piece.results[i].outcome != WriteResult::Outcome::kConflict) continue;
      places.push_back(i);
      records.push_back(piece.records[i]);
    }
    if (records.empty()) return;
    const std::vector<WriteResult> results = sink_.Write(records, OnExisting::kReplace);
    for (size_t i = 0; i < places.size(); ++i) piece.results[places[i]].outcome = results[i].outcome;
  }

  Sink& sink_;
  const CopyOptions& options_;
  bool look_first_;
};

// What the target says of one record that was sent, or that would be.
struct Verdict {
  CopyOutcome fate = CopyOutcome::kUnchanged;
  std::string why;
  bool ahead = false;
};

class Copier {
 public:
  Copier(Sink& sink, const CopyOptions& options) : sink_(sink), options_(options) {}

  // Compares what was sent with what the target has of it now, and counts it.
  void Settle(InFlightBatch& piece) {
    const std::vector<RunRecord>& records = piece.records;
    const TargetState holding = piece.there ? std::move(*piece.there) : HoldingOf(sink_.ReadBack(RunIdsOf(records)));
    std::unordered_map<std::string_view, size_t> by_id;
    for (size_t i = 0; i < holding.records.size(); ++i) by_id.emplace(holding.records[i].run.run_id, i);

    for (size_t i = 0; i < records.size(); ++i) {
      const auto found = by_id.find(records[i].run.run_id);
      const RunRecord* actual = found == by_id.end() ? nullptr : &holding.records[found->second];
      const Digest actual_digest = actual == nullptr ? Digest() : holding.digests[found->second];
      account_.target_digest += actual_digest;
      account_.source_digest += piece.digests[i];
      const bool equal = actual != nullptr && actual_digest == piece.digests[i];
      const Verdict verdict =
          options_.dry_run ? Foresee(records[i], actual, equal) : Judge(records[i], actual, equal, piece.results[i]);
      Count(records[i], verdict);
      if (options_.on_settled) options_.on_settled(records[i], verdict.fate, verdict.why);
    }
    if (!piece.there) account_.sent += static_cast<int64_t>(records.size());
    AddConverted(std::move(piece.converted), account_.converted, account_.converted_runs);
  }

  CopySummary& account() { return account_; }
  CopyProgress progress() const { return {account_.runs, 0, account_.failures, bytes_}; }

 private:
  // What a write of the record would do.
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

  // What the write did, and whether the target now holds all of the record.
  Verdict Judge(const RunRecord& record, const RunRecord* actual, bool equal, const WriteResult& result) {
    if (result.outcome == WriteResult::Outcome::kConflict) return {CopyOutcome::kConflict, result.conflict, false};
    if (actual == nullptr) return {CopyOutcome::kDiffers, "it was written, but is not there when read back", false};
    bool ahead = false;
    if (!equal) {
      const Merge merge = MergeRecords(*actual, record);
      if (merge.outcome != MergeOutcome::kContained) {
        return {CopyOutcome::kDiffers,
                "read back it is not what was written" + (merge.conflict.empty() ? "" : ": " + merge.conflict), false};
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
    int64_t* const counts[] = {&account_.copied,    &account_.completed, &account_.unchanged,
                               &account_.conflicts, &account_.replaced,  &account_.differing};
    ++*counts[static_cast<size_t>(verdict.fate)];
    ++account_.runs;
    account_.parts += static_cast<int64_t>(record.parts.size());
    account_.failures += static_cast<int64_t>(record.failures.size());
    account_.ahead += verdict.ahead ? 1 : 0;
    bytes_ += static_cast<int64_t>(TextBytes(record));
    const bool is_finding = verdict.fate == CopyOutcome::kConflict || verdict.fate == CopyOutcome::kReplaced ||
                            verdict.fate == CopyOutcome::kDiffers;
    if (is_finding && account_.findings.size() < CopySummary::kMaxFindings) {
      account_.findings.push_back({record.run.run_id, verdict.fate, verdict.why});
    }
  }

  static constexpr size_t kMaxRemembered = 4096;

  Sink& sink_;
  const CopyOptions& options_;
  CopySummary account_;
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
  while (std::optional<InFlightBatch> piece = written.Take()) {
    copier.Settle(*piece);
    progress.Update(report(copier));
    CopySummary& account = copier.account();
    account.gave_up = options.on_conflict == OnConflict::kEnd && !options.dry_run && account.conflicts > 0;
    account.stopped = account.stopped || (options.stop && options.stop());
    ended = account.gave_up || account.stopped;
  }
  if (!options.dry_run) {
    progress.Begin(Phase::kFinishing, 0);
    sink.Finish();
  }
  progress.Done(report(copier));
  return std::move(copier.account());
}

}  // namespace flaky
