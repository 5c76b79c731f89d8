#ifndef FLAKY_STORES_RECORD_CHECK_H_
#define FLAKY_STORES_RECORD_CHECK_H_

#include <cstddef>
#include <string>
#include <unordered_set>

#include "history/run.h"

namespace flaky {

// What every store refuses in records to be written: a roster whose content does not belong to its id, a part whose
// roster the record does not hold. Rosters that several records share are looked at once.
class RecordCheck {
 public:
  explicit RecordCheck(const std::string& store) : store_(store) {}

  // Throws StoreError (kInvalid) that names run and roster.
  void Check(const RunRecord& record);

 private:
  const std::string& store_;
  std::unordered_set<const Roster*> seen_;
};

// Throws StoreError (kInvalid) that names run, table and column where the texts of one row, the run's id among them,
// have more than `row_bytes` bytes. Gives how many all rows have together but for the rosters', which records share.
size_t CheckRowSizes(const RunRecord& record, size_t row_bytes, const std::string& store);

}  // namespace flaky

#endif  // FLAKY_STORES_RECORD_CHECK_H_
