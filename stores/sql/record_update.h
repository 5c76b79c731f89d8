#ifndef FLAKY_STORES_SQL_RECORD_UPDATE_H_
#define FLAKY_STORES_SQL_RECORD_UPDATE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "history/run.h"
#include "stores/store.h"

namespace flaky {

// A record as a store of rows has it.
struct StoredRecord {
  RunRecord record;
  std::vector<int64_t> failure_ids;  // the rows of record.failures, in their order
};

// What Write and Replace do to a run that is there.
enum class OnExisting { kMerge, kReplace };

struct Resolution {
  WriteResult result;
  RunRecord record;  // where Changes(): what is to be stored from now on; else empty

  bool Changes() const {
    return result.outcome == WriteResult::Outcome::kCompleted || result.outcome == WriteResult::Outcome::kReplaced;
  }
};
Resolution Resolve(const RunRecord& known, const RunRecord& incoming, OnExisting existing);

// Which rows to change so that a stored record becomes the wanted one; a row that stays what it is keeps its id. Points
// into the wanted record.
struct RecordUpdate {
  bool run = false;  // its row changes
  std::vector<const Part*> parts;
  std::vector<const Failure*> new_failures;
  // To be removed: of an unfinished part that was replaced by the same, finished, or of a run that was replaced.
  std::vector<int64_t> old_failures;
  std::vector<std::string> old_parts;
};
RecordUpdate RecordUpdateOf(const StoredRecord& known, const RunRecord& wanted);

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_RECORD_UPDATE_H_
