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

namespace flaky {

// The writing verbs of the SQLite store. Throws SQLite::Exception and StoreError.
class SqliteWriter {
 public:
  // The schema must be up to date. The reader loads what is to be completed; both use the same connection.
  SqliteWriter(SqliteConnection& connection, SqliteReader& reader);

  // Store::Write, or Store::Replace.
  std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting existing);
  CopyClaim Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of);

 private:
  WriteResult WriteOne(const RunRecord& record, OnExisting existing);
  bool InsertRun(const Run& run);
  void UpdateRun(const Run& run);
  void InsertRosters(const RunRecord& record);
  void PutPart(const std::string& run_id, const Part& part);
  void InsertFailure(const std::string& run_id, const Failure& failure);
  void Complete(const StoredRecord& known, const RunRecord& wanted);
  void ForgetRostersIfOthersWrote();

  SqliteConnection& connection_;
  SqliteReader& reader_;
  SQLite::Statement insert_run_;
  SQLite::Statement update_run_;
  SQLite::Statement insert_roster_;
  SQLite::Statement put_part_;
  SQLite::Statement insert_failure_;
  SQLite::Statement delete_failure_;
  SQLite::Statement delete_part_;
  SQLite::Statement data_version_;

  // Rosters that the database is known to hold, so that a text of many tests is not sent again with every run.
  std::unordered_set<std::string> known_rosters_;
  std::unordered_set<std::string> new_rosters_;  // of the transaction that is open
  int64_t seen_data_version_ = 0;
};

}  // namespace flaky

#endif  // FLAKY_STORES_SQLITE_WRITER_H_
