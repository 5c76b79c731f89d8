// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SQLITE_CONNECTION_H_
#define FLAKY_STORES_SQLITE_CONNECTION_H_

#include <SQLiteCpp/SQLiteCpp.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "stores/location.h"
#include "stores/sql/sqlite_dialect.h"
#include "stores/sqlite/options.h"
#include "stores/store.h"

namespace flaky::sqlite {

// One connection to one SQLite file, and the edge at which SQLite's errors become StoreErrors.
class Connection {
 public:
  // Opens the file as Open (stores/sqlite/sqlite_store.h) promises, except that it doesn't look at the schema.
  Connection(const Location& location, OpenMode mode, const Options& options);

  SQLite::Database& db() { return *db_; }
  const std::string& name() const { return name_; }

  // The table's name with the prefix, quoted for SQL.
  std::string Table(std::string_view table) const { return tables_(table); }
  const std::string& prefix() const { return tables_.prefix; }
  const SqliteTables& tables() const { return tables_; }

  // Does `work`, and turns a SQLite::Exception that it throws into a StoreError. `operation` names the failed operation
  // in the error: "write runs".
  template <typename Work>
  auto Guard(std::string_view operation, Work&& work) {
    try {
      return std::forward<Work>(work)();
    } catch (const SQLite::Exception& error) {
      Translate(error, operation);
    }
  }

  // Turns on write-ahead logging if the file system supports it.
  void UseWriteAheadLog();

  // Frees most of the memory that writing took, because making an index needs as much again for sorting.
  void Shrink();

  // Moves the log into the database and waits until it is on the disk.
  void Flush();

  [[noreturn]] void Fail(ErrorKind kind, std::string_view operation, const std::string& detail) const;

 private:
  [[noreturn]] void Translate(const SQLite::Exception& error, std::string_view operation) const;
  void CheckFile(OpenMode mode) const;
  void CreateFile() const;
  void OpenForReading();
  void OpenUntouched(bool without_log);
  void Open(int flags, std::string_view parameters = {});
  bool CanRead();
  bool HasLog() const;

  std::string name_;
  std::string path_;
  SqliteTables tables_;
  std::chrono::milliseconds busy_timeout_;
  std::optional<SQLite::Database> db_;
};

// Resets a cached statement for another use, and again at the end of the scope, which releases what the statement
// holds, for example a read lock.
class ScopedReset {
 public:
  explicit ScopedReset(SQLite::Statement& statement) : statement_(statement) { statement_.tryReset(); }
  ~ScopedReset() { statement_.tryReset(); }
  ScopedReset(const ScopedReset&) = delete;
  ScopedReset& operator=(const ScopedReset&) = delete;

  SQLite::Statement& operator*() { return statement_; }
  SQLite::Statement* operator->() { return &statement_; }

 private:
  SQLite::Statement& statement_;
};

// Binds a text without copying it. The text must live until the statement is reset.
inline void BindText(SQLite::Statement& statement, int index, const std::string& text) {
  statement.bindNoCopy(index, text);
}
void BindText(SQLite::Statement&, int, std::string&&) = delete;

}  // namespace flaky::sqlite

#endif  // FLAKY_STORES_SQLITE_CONNECTION_H_
