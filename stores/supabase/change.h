// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SUPABASE_CHANGE_H_
#define FLAKY_STORES_SUPABASE_CHANGE_H_

#include <string>
#include <string_view>
#include <unordered_set>

#include "history/run.h"
#include "stores/sql/record_update.h"

namespace flaky::supabase {

// Rows that are written by one call of a function, in the form that the function takes.
class Change {
 public:
  // Adds a whole record.
  void AddNew(const RunRecord& record);
  // Adds the changes that turn a stored record into the wanted one. `state`: StoredRun::state of the stored record.
  void AddRecordUpdate(const RunRecord& wanted, const RecordUpdate& update, const std::string& state);

  bool empty() const { return runs_.empty() && states_.empty(); }
  // Returns the request, and makes this object empty.
  std::string Take();

 private:
  void AddPart(const std::string& run_id, const Part& part);
  void AddFailure(const std::string& run_id, const Failure& failure);
  void AddRosters(const RunRecord& record);

  // The rows of each member, separated by commas.
  std::string runs_;
  std::string parts_;
  std::string failures_;
  std::string rosters_;
  std::string states_;
  std::string old_failures_;
  std::string old_parts_;
  std::unordered_set<std::string> known_rosters_;
};

}  // namespace flaky::supabase

#endif  // FLAKY_STORES_SUPABASE_CHANGE_H_
