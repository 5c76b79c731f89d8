// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_RECORD_CHECK_H_
#define FLAKY_STORES_RECORD_CHECK_H_

#include <cstddef>
#include <string>
#include <unordered_set>

#include "history/run.h"

namespace flaky {

// Refuses records that no store writes: with a roster whose content does not match its id, or a part whose roster the
// record lacks. A roster that several records share is checked once.
class RecordCheck {
 public:
  explicit RecordCheck(const std::string& store) : store_(store) {}

  // Throws StoreError (kInvalid), which names the run and the roster.
  void Check(const RunRecord& record);

 private:
  const std::string& store_;
  std::unordered_set<const Roster*> seen_;
};

// Throws StoreError (kInvalid), which names run, table and column, if the texts of one row, including the run's id,
// have more than `row_bytes` bytes. Returns the total of all rows without the rosters, which records share.
size_t CheckRowSizes(const RunRecord& record, size_t row_bytes, const std::string& store);

}  // namespace flaky

#endif  // FLAKY_STORES_RECORD_CHECK_H_
