#ifndef FLAKY_TRANSFER_VERIFY_H_
#define FLAKY_TRANSFER_VERIFY_H_

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "history/digest.h"
#include "stores/store.h"
#include "transfer/batch.h"
#include "transfer/progress.h"

namespace flaky {

// How one run compares.
enum class Comparison {
  kEqual,       // both hold the same
  kOnlySource,  // the target does not have it
  kOnlyTarget,  // the source does not have it
  kDifferent,   // both have it, with different content or under another project or time
  kAhead,       // one_way only: the target has all that the source has of it, and more
};

struct ComparedRun {
  std::string run_id;
  Timestamp started_at;  // in the source, where it has the run
  Comparison comparison = Comparison::kEqual;
  std::string what;  // kDifferent: what differs first (transfer/difference.h)
};

struct VerifyOptions {
  std::vector<std::optional<std::string>> projects = {};  // only their runs; none: all; absent: those without a project
  BatchLimits limits;                                     // of one page, of either side
  double share = 1;        // of the runs, chosen by their ids' hash: the same runs on both sides, every time
  bool runs_only = false;  // only the runs' own fields, not what their parts, failures and rosters hold
  bool one_way = false;    // do not report what only the target has

  // Asked after each page; true ends the comparison.
  std::function<bool()> stop = {};

  // Told of each run once, in no certain order, on the thread that called Verify.
  std::function<void(const ComparedRun&)> on_run = {};
};

// What one side has.
struct Contents {
  Totals totals;
  Digest digest;  // the sum of the runs' fingerprints (transfer/difference.h)
};

// Runs of one project that began in one month, in UTC.
struct BucketKey {
  std::optional<std::string> project;
  std::string month;  // "2026-03"

  auto operator<=>(const BucketKey&) const = default;
};
struct Bucket {
  Contents source, target;
  int64_t differences = 0;  // runs that count as one; a run that lies in another bucket on each side counts in both
};

struct VerifySummary {
  Contents source, target;  // runs_only: parts and failures as Store::Count has them
  std::map<BucketKey, Bucket> buckets;
  int64_t equal = 0;
  int64_t only_source = 0;
  int64_t only_target = 0;
  int64_t different = 0;
  int64_t ahead = 0;
  int64_t converted = 0;  // runs of either side that were compared as a copy would have written them
  bool stopped = false;

  // Under runs_only also if the counts of parts and failures agree; one_way: if the target has no fewer.
  bool SameAs(const VerifyOptions& options) const;
};

// Compares what two stores hold, whatever their kinds: ids that a store gives of its own, the order of parts and
// failures, and page sizes do not matter, all else does, to the last bit. Stores keep no digests, so a digest needs the
// rows: both are read once, in order, each on a thread of its own, and every run is compared with its counterpart on
// the way. Reading first for digests and then again where they differ would cost more and tell less. A cheap first look
// is runs_only, and a cheap second one is `share`, which reads the runs' own rows and the whole of those it chose.
//
// What one side cannot hold (Store::limits) is converted on the other side before comparing, as a copy converts it
// (transfer/record_converter.h). A run that has no counterpart in order is looked up on the other side by its id, some
// hundred at a time, before it counts as missing there. Runs written meanwhile may or may not be met. Memory is bounded
// by four pages, two lookups and the buckets. The stores may not be used by others during the call. Throws StoreError.
VerifySummary Verify(Store& source, Store& target, const VerifyOptions& options, Progress& progress);

}  // namespace flaky

#endif  // FLAKY_TRANSFER_VERIFY_H_
