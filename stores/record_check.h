// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_RECORD_CHECK_H_
#define FLAKY_STORES_RECORD_CHECK_H_

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "history/run.h"

namespace flaky {

// Refuses records that no store writes: with a roster whose content is invalid or does not match its id, with a part
// whose roster the record lacks, or with a roster of which it lacks a list. A roster that several records share is
// parsed once.
class RecordCheck {
 public:
  explicit RecordCheck(const std::string& store) : store_(store) {}

  // Throws StoreError (kInvalid), which names the run and the roster.
  void Check(const RunRecord& record);

 private:
  const std::string& store_;
  std::unordered_map<const Roster*, std::vector<std::string>> lists_;  // that a roster names
};

// Throws StoreError (kInvalid), which names run, table and column, if the texts of one row, including the run's id,
// have more than `row_bytes` bytes. Returns the total of all rows without the rosters, which records share.
size_t CheckRowSizes(const RunRecord& record, size_t row_bytes, const std::string& store);

}  // namespace flaky

#endif  // FLAKY_STORES_RECORD_CHECK_H_
