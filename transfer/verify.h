// SPDX-License-Identifier: MIT
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

// The result of comparing one run.
enum class Comparison {
  kEqual,       // both hold the same content
  kOnlySource,  // the target does not have it
  kOnlyTarget,  // the source does not have it
  kDifferent,   // both have it, with different content or under another project or time
  kAhead,       // one_way only: the target has all that the source has of it, and more
};

struct ComparedRun {
  std::string run_id;
  Timestamp started_at;  // in the source, if it has the run
  Comparison comparison = Comparison::kEqual;
  std::string what;  // kDifferent: the first difference (transfer/difference.h)
};

struct VerifyOptions {
  // Only the runs of these projects (nullopt: runs without a project). Empty: all runs.
  std::vector<std::optional<std::string>> projects = {};
  BatchLimits limits;      // of a page of either side
  double share = 1;        // of the runs to compare; chosen by a hash of the id, so always the same runs on both sides
  bool runs_only = false;  // compares only the runs' own fields, not their parts, failures and rosters
  bool one_way = false;    // do not report what only the target has

  // Asked after each page; true ends the comparison.
  std::function<bool()> stop = {};

  // Called once for each run, in no particular order, on the thread that called Verify.
  std::function<void(const ComparedRun&)> on_run = {};
};

// What one side holds.
struct Contents {
  Totals totals;
  Digest digest;  // the sum of the runs' fingerprints (transfer/difference.h)
};

// The runs of one project that started in one month, in UTC.
struct BucketKey {
  std::optional<std::string> project;
  std::string month;  // "2026-03"

  auto operator<=>(const BucketKey&) const = default;
};
struct Bucket {
  Contents source, target;
  int64_t differences = 0;  // runs that count as different; one that is in another bucket on each side counts in both
};

struct VerifySummary {
  Contents source, target;  // runs_only: parts and failures as Store::Count has them
  std::map<BucketKey, Bucket> buckets;
  int64_t equal = 0;
  int64_t only_source = 0;
  int64_t only_target = 0;
  int64_t different = 0;
  int64_t ahead = 0;
  int64_t converted = 0;  // runs of either side that were converted before they were compared, as a copy does
  bool stopped = false;

  // Returns true if no difference was found. With runs_only, the total numbers of parts and failures must also be
  // equal, or with one_way no smaller in the target.
  bool SameAs(const VerifyOptions& options) const;
};

// Compares what two stores of any kinds hold. Ids that a store assigns, the order of parts and failures, and page sizes
// do not matter. Everything else is compared exactly. Stores keep no digests, so a digest needs the rows. Therefore
// both stores are read once, in order, each on a separate thread, and every run is compared with its counterpart. To
// read all digests first, and the runs that differ again, would be slower and report less. runs_only is a fast first
// check. `share` is a fast second one: it reads the runs' own rows, and the parts and failures of the chosen runs only.
//
// What one side cannot hold (Store::limits) is converted on the other side before the comparison, as a copy converts it
// (transfer/record_converter.h). A run that has no counterpart in order is looked up in the other store by its id
// before it counts as missing there. Such look-ups are made for some hundred runs at a time. Runs that are written
// during the call may or may not be compared. Memory is bounded by four pages, two look-ups and the buckets. The caller
// must not use the stores during the call. Throws StoreError.
VerifySummary Verify(Store& source, Store& target, const VerifyOptions& options, Progress& progress);

}  // namespace flaky

#endif  // FLAKY_TRANSFER_VERIFY_H_
