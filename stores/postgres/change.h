// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_POSTGRES_CHANGE_H_
#define FLAKY_STORES_POSTGRES_CHANGE_H_

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "history/run.h"
#include "stores/postgres/columns.h"
#include "stores/postgres/connection.h"
#include "stores/sql/record_update.h"

namespace flaky::postgres {

// Rows of all tables, written by one statement: in one round trip, as a whole or not at all. The rows are sent as
// arrays in binary format. Measured, this is as fast for the server as COPY into the same tables, without escaping and
// without a round trip for each table. The added records must live until the statement was run.
class Change {
 public:
  explicit Change(const Connection& connection);

  // Adds a whole record.
  void AddNew(const RunRecord& record);
  // Adds the changes that turn a stored record into the wanted one.
  void AddRecordUpdate(const RunRecord& wanted, const RecordUpdate& update);

  bool empty() const {
    return runs_.empty() && parts_.empty() && failures_.empty() && removed_.empty() && removed_parts_.empty();
  }

  // Inserts the records of AddNew whose runs don't exist yet, and returns the ids of these runs.
  pqxx::result InsertNew(pqxx::transaction_base& transaction);
  // Writes the changes of AddRecordUpdate.
  void Complete(pqxx::transaction_base& transaction);

 private:
  void AddPart(const std::string& run_id, const Part& part);
  void AddFailure(const Run& run, const Failure& failure);
  void AddRosters(const RunRecord& record);
  std::string InsertRosters(BinaryValues& values) const;
  void Move(pqxx::transaction_base& transaction);
  std::string Insert(std::string_view table, const std::vector<TypedColumn>& columns, RowWriter& rows,
                     BinaryValues& values) const;

  const Connection& connection_;
  RowWriter runs_;
  RowWriter parts_;
  RowWriter failures_;
  std::map<std::string_view, const Roster*> rosters_;  // sorted, so that two writers never wait for each other
  RowWriter moved_;                                    // runs with another project: run_id, project
  RowWriter removed_;                                  // failures: run_id, id
  std::vector<std::pair<std::string, std::string>> removed_parts_;  // run_id, part_id
};

}  // namespace flaky::postgres

#endif  // FLAKY_STORES_POSTGRES_CHANGE_H_
