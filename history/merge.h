// SPDX-License-Identifier: MIT
#ifndef FLAKY_HISTORY_MERGE_H_
#define FLAKY_HISTORY_MERGE_H_

#include <string>

#include "history/run.h"

namespace flaky {

enum class MergeOutcome {
  kEqual,      // both have the same content
  kContained,  // `known` already has all of `incoming`, and more
  kCompleted,  // `incoming` has something that `known` lacks
  kConflict,   // the two contradict each other
};

struct Merge {
  MergeOutcome outcome = MergeOutcome::kEqual;
  RunRecord merged;      // kCompleted: what should be stored from now on; else empty
  std::string conflict;  // kConflict: what contradicts, as a phrase: "part 7f… differs"
};

// Merges two records of one run id. This is the only definition of it, for all stores, for copying and for verifying.
//
//  * Parts are joined by their id. The same part twice adds nothing. A part without an end is completed by the same
//    part with an end, together with its failures. Any other difference within a part is a conflict.
//  * A run with parts is their sum: started_at is the earliest, ended_at the latest (absent while a part has none),
//    duration_ms is the time between the two, counts are added, and the run failed if a part failed. If no part failed,
//    but the status of one is absent, that of the run is absent too.
//  * Parts of one run may disagree about some facts (project, branch, test_args, …). Then the smallest text wins, and a
//    known value wins over an absent one. git_dirty is true if it is true in any part. So the order of arrival does not
//    matter, and stores that received the same parts hold the same run.
//  * A run without parts (from another tool) is completed by an end, by fields that were absent, and by further
//    failures. A known value that changes is a conflict, except in a run that had not ended.
//  * A run with parts and a run without parts contradict each other, unless the latter has neither an end nor failures.
//
// Precondition: known.run.run_id == incoming.run.run_id. Commutative and associative if there is no conflict.
Merge MergeRecords(const RunRecord& known, const RunRecord& incoming);

// Adds the parts of another record of the same run. Precondition: `record` has none of them. Equivalent to MergeRecords
// in that case, but cheaper. The caller must call SumParts after the last part.
void AddParts(RunRecord& record, RunRecord&& more);

// Sets the run's account from its parts. Does nothing for a run without parts.
void SumParts(RunRecord& record);

}  // namespace flaky

#endif  // FLAKY_HISTORY_MERGE_H_
