#ifndef FLAKY_STORES_SUPABASE_CHANGE_H_
#define FLAKY_STORES_SUPABASE_CHANGE_H_

#include <string>
#include <string_view>
#include <unordered_set>

#include "history/run.h"
#include "stores/sql/record_update.h"

namespace flaky {

// Rows that one call of a function writes, in the form that it takes.
class SupabaseChange {
 public:
  // A record that is to be there as a whole.
  void AddNew(const RunRecord& record);
  // What makes a stored record the wanted one; `completion` is of that, `state` what was read with it.
  void AddRecordUpdate(const RunRecord& wanted, const RecordUpdate& completion, const std::string& state);

  bool empty() const { return runs_.empty() && states_.empty(); }
  // The request; there is nothing in it afterwards.
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

}  // namespace flaky

#endif  // FLAKY_STORES_SUPABASE_CHANGE_H_
