#ifndef FLAKY_HISTORY_MERGE_H_
#define FLAKY_HISTORY_MERGE_H_

#include <string>

#include "history/run.h"

namespace flaky {

enum class MergeOutcome {
  kEqual,      // both say the same
  kContained,  // `known` already has all of `incoming`, and more
  kCompleted,  // `incoming` has something that `known` lacks
  kConflict,   // the two contradict each other
};

struct Merge {
  MergeOutcome outcome = MergeOutcome::kEqual;
  RunRecord merged;      // kCompleted: what should be stored from now on; else empty
  std::string conflict;  // kConflict: what contradicts, as a phrase: "part 7f… differs"
};

// How two records of one run id become one. The one definition for every store, for copying and for verifying.
//
//  * Parts are joined by their id. The same part twice adds nothing. A part without an end is completed by the same
//    part with one, together with its failures. Anything else that differs within a part is a conflict.
//  * A run with parts is their sum: started_at is the earliest, ended_at the latest (absent while a part has none),
//    duration_ms lies between the two, counts are added, and it failed if a part failed.
//  * Of the facts that parts of one run may disagree on (project, branch, test_args, …), the smallest text wins and a
//    known one beats an absent one; git_dirty is true if any says so. So the order of arrival does not matter, and
//    stores that received the same parts hold the same run.
//  * A run without parts (another tool's) is completed where it had no end or an absent field, and by further failures;
//    a known value that changes is a conflict, except in a run that had not ended.
//  * A run with parts and one without contradict each other, unless the one without is an unfinished beginning without
//    failures.
//
// Precondition: known.run.run_id == incoming.run.run_id. Commutative and associative where there is no conflict.
Merge MergeRecords(const RunRecord& known, const RunRecord& incoming);

// Adds to a record the parts of another record of the same run, none of which it has: what MergeRecords comes to then,
// without looking at all of both. SumParts must follow once all are added.
void AddParts(RunRecord& record, RunRecord&& more);

// Sets the run's account from its parts; leaves a run without parts alone.
void SumParts(RunRecord& record);

}  // namespace flaky

#endif  // FLAKY_HISTORY_MERGE_H_
