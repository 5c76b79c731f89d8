#ifndef FLAKY_STORES_POSTGRES_CHANGE_H_
#define FLAKY_STORES_POSTGRES_CHANGE_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "history/run.h"
#include "stores/postgres/columns.h"
#include "stores/postgres/connection.h"
#include "stores/sql/record_update.h"

namespace flaky {

// Rows of all tables that are written by one statement, so in one round trip, whole or not at all. The rows are sent as
// arrays in binary format: measured as fast for the server as COPY into the same tables, with nothing to be escaped and
// without a round trip for each table. Points into the records added: they must live until the statement was run.
class PostgresChange {
 public:
  explicit PostgresChange(const PostgresConnection& connection);

  // A record that is to be there as a whole.
  void AddNew(const RunRecord& record);
  // What makes a stored record the wanted one; `completion` is of that.
  void AddRecordUpdate(const RunRecord& wanted, const RecordUpdate& completion);

  bool empty() const {
    return runs_.empty() && parts_.empty() && failures_.empty() && removed_.empty() && removed_parts_.empty();
  }

  // Inserts what AddNew added, for those runs that nobody has inserted yet; gives their ids.
  pqxx::result InsertNew(pqxx::transaction_base& transaction);
  // Writes what AddRecordUpdate added.
  void Complete(pqxx::transaction_base& transaction);

 private:
  void AddPart(const std::string& run_id, const Part& part);
  void AddFailure(const std::string& run_id, const Failure& failure);
  void AddRosters(const RunRecord& record);
  std::string InsertRosters(BinaryValues& values) const;
  std::string Insert(std::string_view table, const std::vector<TypedColumn>& columns, RowArrays& rows,
                     BinaryValues& values) const;

  const PostgresConnection& connection_;
  RowArrays runs_;
  RowArrays parts_;
  RowArrays failures_;
  std::map<std::string_view, const Roster*> rosters_;  // in order, so that two writers never wait for each other
  std::vector<int64_t> removed_;                       // failures
  std::vector<std::pair<std::string, std::string>> removed_parts_;  // run_id, part_id
};

}  // namespace flaky

#endif  // FLAKY_STORES_POSTGRES_CHANGE_H_
