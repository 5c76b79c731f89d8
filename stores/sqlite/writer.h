// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SQLITE_WRITER_H_
#define FLAKY_STORES_SQLITE_WRITER_H_

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "stores/sql/record_update.h"
#include "stores/sqlite/connection.h"
#include "stores/sqlite/reader.h"
#include "stores/store.h"

namespace flaky::sqlite {

// The writing verbs of the SQLite store. Throws SQLite::Exception and StoreError.
class Writer {
 public:
  // The schema must be up to date. The reader loads the runs that are in the store already; it uses the same
  // connection.
  Writer(Connection& connection, Reader& reader);

  // Does what Store::Write promises.
  std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting on_existing);
  CopyClaim Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of);

 private:
  WriteResult WriteOne(const RunRecord& record, OnExisting on_existing);
  bool InsertRun(const Run& run);
  void UpdateRun(const Run& run);
  void InsertRosters(const RunRecord& record);
  void PutPart(const std::string& run_id, const Part& part);
  void InsertFailure(const Run& run, const Failure& failure);
  void MoveFailures(const Run& run);
  void Complete(const StoredRecord& known, const RunRecord& wanted);
  void ForgetRostersIfOthersWrote();

  Connection& connection_;
  Reader& reader_;
  SQLite::Statement insert_run_;
  SQLite::Statement update_run_;
  SQLite::Statement insert_roster_;
  SQLite::Statement put_part_;
  SQLite::Statement insert_failure_;
  SQLite::Statement move_failures_;
  SQLite::Statement delete_failure_;
  SQLite::Statement delete_part_;
  SQLite::Statement data_version_;

  // Rosters that the database is known to contain, so that a list of many tests isn't written again with every run.
  std::unordered_set<std::string> known_rosters_;
  std::unordered_set<std::string> new_rosters_;  // of the open transaction
  int64_t seen_data_version_ = 0;
};

}  // namespace flaky::sqlite

#endif  // FLAKY_STORES_SQLITE_WRITER_H_
