#ifndef FLAKY_STORES_COMPLETION_H_
#define FLAKY_STORES_COMPLETION_H_

#include <cstdint>
#include <vector>

#include "history/run.h"

namespace flaky {

// A record as a store of rows has it.
struct StoredRecord {
  RunRecord record;
  std::vector<int64_t> failure_ids;  // the rows of record.failures, in their order
};

// Which rows to change so that a stored record becomes the merged one; a row that stays what it is keeps its id. Points
// into the merged record.
struct Completion {
  bool run = false;  // its row changes
  std::vector<const Part*> parts;
  std::vector<const Failure*> new_failures;
  std::vector<int64_t> old_failures;  // to be removed: of an unfinished part that was replaced by the same, finished
};
Completion CompletionOf(const StoredRecord& known, const RunRecord& merged);

}  // namespace flaky

#endif  // FLAKY_STORES_COMPLETION_H_
