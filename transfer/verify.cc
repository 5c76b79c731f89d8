#include "transfer/verify.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "history/merge.h"
#include "transfer/verify_side.h"

namespace flaky {
namespace {

constexpr size_t kLookup = 256;  // runs that wait to be looked up on the other side

std::strong_ordering Order(const ComparedItem& a, const ComparedItem& b) {
  const Run& left = a.record.run;
  const Run& right = b.record.run;
  const auto by_time = left.account.started_at <=> right.account.started_at;
  return by_time != 0 ? by_time : left.run_id <=> right.run_id;
}

BucketKey BucketOf(const Run& run) { return {run.project, run.account.started_at.Date().substr(0, 7)}; }

// A run without a counterpart in order.
struct Candidate {
  std::string run_id;
  Timestamp started_at;
  BucketKey bucket;
};

class Verifier {
 public:
  Verifier(Store& source, Store& target, const VerifyOptions& options, Progress& progress)
      : options_(options),
        progress_(progress),
        source_(source, {options.limits, options.share, options.runs_only}, target.limits()),
        target_(target, {options.limits, options.share, options.runs_only}, source.limits()) {
    progress.Begin(Phase::kCounting, 0);
    for (const RunFilter& filter : Filters()) {
      Add(of_source_, source.Count(filter));
      Add(of_target_, target.Count(filter));
    }
    if (options.share >= 1) now_.total_runs = std::max(of_source_.runs, of_target_.runs);
    progress.Begin(Phase::kComparing, now_.total_runs);
  }

  VerifySummary Run() {
    for (const RunFilter& filter : Filters()) {
      if (summary_.stopped) break;
      source_.Begin(filter);
      target_.Begin(filter);
      Join();
    }
    source_.End();
    target_.End();
    if (options_.runs_only && options_.share >= 1) {
      summary_.source.totals = {summary_.source.totals.runs, of_source_.parts, of_source_.failures};
      summary_.target.totals = {summary_.target.totals.runs, of_target_.parts, of_target_.failures};
    }
    progress_.Done(now_);
    return std::move(summary_);
  }

 private:
  std::vector<RunFilter> Filters() const {
    if (options_.projects.empty()) return {RunFilter()};
    std::vector<RunFilter> filters;
    for (const auto& project : std::set(options_.projects.begin(), options_.projects.end())) {
      filters.emplace_back();
      filters.back().project.emplace(project);
    }
    return filters;
  }
  static void Add(Totals& sum, const Totals& more) {
    sum.runs += more.runs;
    sum.parts += more.parts;
    sum.failures += more.failures;
  }

  void Join() {
    for (;;) {
      const ComparedItem* const source = source_.Head();
      const ComparedItem* const target = target_.Head();
      if (AfterPage()) return;
      if (source == nullptr && target == nullptr) break;
      // The earlier one, or both of one run.
      const bool from_source = source != nullptr && (target == nullptr || Order(*source, *target) <= 0);
      const bool from_target = target != nullptr && (source == nullptr || Order(*source, *target) >= 0);
      if (from_source) CountIn(*source, summary_.source, &Bucket::source);
      if (from_target) CountIn(*target, summary_.target, &Bucket::target);
      if (from_source && from_target) {
        Settle(*source, *target);
      } else if (from_source) {
        Wait(*source, missing_in_target_);
      } else if (from_target) {
        Wait(*target, missing_in_source_);
      }
      ++now_.runs;
      if (from_source) source_.Pop();
      if (from_target) target_.Pop();
      if (missing_in_target_.size() >= kLookup) LookUpInTarget();
      if (missing_in_source_.size() >= kLookup) LookUpInSource();
    }
    LookUpInTarget();
    LookUpInSource();
  }

  // True if the comparison is to end.
  bool AfterPage() {
    const bool fresh = source_.FreshPage();
    if (!target_.FreshPage() && !fresh) return false;
    progress_.Update(now_);
    summary_.stopped = options_.stop && options_.stop();
    return summary_.stopped;
  }

  void CountIn(const ComparedItem& item, Contents& side, Contents Bucket::*side_of_bucket) {
    const Totals totals{1, static_cast<int64_t>(item.record.parts.size()),
                        static_cast<int64_t>(item.record.failures.size())};
    for (Contents* contents : {&side, &(summary_.buckets[BucketOf(item.record.run)].*side_of_bucket)}) {
      Add(contents->totals, totals);
      contents->digest += item.fingerprint.digest;
    }
    summary_.converted += item.converted ? 1 : 0;
    if (&side == &summary_.source) {
      now_.failures += totals.failures;
      now_.bytes += static_cast<int64_t>(TextBytes(item.record));
    }
  }

  static void Wait(const ComparedItem& item, std::vector<Candidate>& candidates) {
    const flaky::Run& run = item.record.run;
    candidates.push_back({run.run_id, run.account.started_at, BucketOf(run)});
  }

  // Both sides have the run.
  void Settle(const ComparedItem& source, const ComparedItem& target) {
    ComparedRun run{source.record.run.run_id, source.record.run.account.started_at, Comparison::kEqual, {}};
    if (source.fingerprint.digest == target.fingerprint.digest) {
      ++summary_.equal;
    } else if (options_.one_way && IsAhead(source, target)) {
      ++summary_.ahead;
      run.comparison = Comparison::kAhead;
    } else {
      ++summary_.different;
      run.comparison = Comparison::kDifferent;
      run.what = FirstDifference(source.record, target.record);
      const BucketKey bucket = BucketOf(source.record.run);
      const BucketKey other = BucketOf(target.record.run);
      ++summary_.buckets[bucket].differences;
      if (other != bucket) ++summary_.buckets[other].differences;
    }
    Tell(run);
  }

  static bool IsAhead(const ComparedItem& source, const ComparedItem& target) {
    return source.fingerprint.intact && target.fingerprint.intact &&
           MergeRecords(target.record, source.record).outcome == MergeOutcome::kContained;
  }

  void Only(const Candidate& candidate, Comparison comparison) {
    ++(comparison == Comparison::kOnlySource ? summary_.only_source : summary_.only_target);
    if (comparison == Comparison::kOnlySource || !options_.one_way) ++summary_.buckets[candidate.bucket].differences;
    Tell({candidate.run_id, candidate.started_at, comparison, {}});
  }

  void Tell(const ComparedRun& run) const {
    if (options_.on_run) options_.on_run(run);
  }

  static std::vector<std::string> IdsOf(const std::vector<Candidate>& candidates) {
    std::vector<std::string> ids;
    ids.reserve(candidates.size());
    for (const Candidate& candidate : candidates) ids.push_back(candidate.run_id);
    return ids;
  }
  // Of these runs, those that `there` has.
  static std::vector<std::string> IdsOf(const std::unordered_map<std::string, ComparedItem>& there) {
    std::vector<std::string> ids;
    ids.reserve(there.size());
    for (const auto& [run_id, item] : there) ids.push_back(run_id);
    return ids;
  }

  void LookUpInTarget() {
    const auto in_target = target_.Lookup(IdsOf(missing_in_target_));
    const auto in_source = source_.Lookup(IdsOf(in_target));
    for (const Candidate& candidate : missing_in_target_) {
      const auto target = in_target.find(candidate.run_id);
      const auto source = in_source.find(candidate.run_id);
      if (target == in_target.end()) {
        Only(candidate, Comparison::kOnlySource);
      } else if (source != in_source.end()) {  // else it was deleted a moment ago
        Settle(source->second, target->second);
      }
    }
    missing_in_target_.clear();
  }

  // What is in the source all the same is settled from that side, unless the source's reading leaves it out.
  void LookUpInSource() {
    auto in_source = source_.Lookup(IdsOf(missing_in_source_));
    for (const Candidate& candidate : missing_in_source_) {
      if (!in_source.contains(candidate.run_id)) Only(candidate, Comparison::kOnlyTarget);
    }
    std::erase_if(in_source, [&](const auto& entry) { return IsRead(entry.second.record.run); });
    const auto in_target = target_.Lookup(IdsOf(in_source));
    for (const auto& [run_id, source] : in_source) {
      if (const auto target = in_target.find(run_id); target != in_target.end()) Settle(source, target->second);
    }
    missing_in_source_.clear();
  }

  bool IsRead(const flaky::Run& run) const {
    return options_.projects.empty() || std::ranges::find(options_.projects, run.project) != options_.projects.end();
  }

  const VerifyOptions& options_;
  Progress& progress_;
  Totals of_source_, of_target_;
  CopyProgress now_;
  VerifySummary summary_;
  std::vector<Candidate> missing_in_target_, missing_in_source_;
  VerifySide source_, target_;
};

}  // namespace

bool VerifySummary::SameAs(const VerifyOptions& options) const {
  if (different > 0 || only_source > 0 || (only_target > 0 && !options.one_way)) return false;
  if (!options.runs_only || options.share < 1) return true;
  const Totals& a = source.totals;
  const Totals& b = target.totals;
  return options.one_way ? a.parts <= b.parts && a.failures <= b.failures
                         : a.parts == b.parts && a.failures == b.failures;
}

VerifySummary Verify(Store& source, Store& target, const VerifyOptions& options, Progress& progress) {
  return Verifier(source, target, options, progress).Run();
}

}  // namespace flaky
