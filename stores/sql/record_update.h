// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SQL_RECORD_UPDATE_H_
#define FLAKY_STORES_SQL_RECORD_UPDATE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "history/run.h"
#include "stores/resolution.h"

namespace flaky {

// A record as a store with rows keeps it.
struct StoredRecord {
  RunRecord record;
  std::vector<int64_t> failure_ids;  // the rows of record.failures, in their order
};

// Which rows to change so that a stored record becomes the wanted one. An unchanged row keeps its id. Points into the
// wanted record.
struct RecordUpdate {
  bool run = false;      // its row changes
  bool project = false;  // that of the run changes, and so of the failures that stay
  std::vector<const Part*> parts;
  std::vector<const Failure*> new_failures;
  // To be removed: those of an unfinished part that the finished one replaces, or of a run that was replaced.
  std::vector<int64_t> old_failures;
  std::vector<std::string> old_parts;
};
RecordUpdate RecordUpdateOf(const StoredRecord& known, const RunRecord& wanted);

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_RECORD_UPDATE_H_
