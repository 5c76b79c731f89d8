#ifndef FLAKY_STORES_SQLITE_SQLITE_STORE_H_
#define FLAKY_STORES_SQLITE_SQLITE_STORE_H_

#include <chrono>
#include <memory>
#include <optional>

#include "stores/location.h"
#include "stores/sql/legacy_tables.h"
#include "stores/store.h"

namespace flaky {

struct SqliteOptions {
  // How long another process' lock is waited for before a call fails with kTransient.
  std::chrono::milliseconds busy_timeout{10'000};
  // With kRead: not even SQLite's companion files are touched, at the price of what only a log without its index holds.
  bool untouched = false;
};

// Opens the history in the SQLite file that `location` names.
//
// For writing, a missing file is created with mode 0600 in a folder that must exist; the database is put into WAL mode.
// For reading, nothing is created or changed (SQLite itself moves a log that a dead writer left into the database); a
// database in WAL mode within a folder that cannot be written is read as long as no writer has left it open.
//
// A database of the npm package @flaky-tests/store-sqlite 0.2 (prefix "") is a history, too: read as it is, or upgraded
// by nullable columns and tables of our own. Throws StoreError: kMissing (no such file, folder or tables), kInvalid
// (not a file, not a database, damaged, somebody else's tables), kAuth, kSchemaTooNew, kTransient (locked too long).
std::unique_ptr<Store> OpenSqlite(const Location& location, OpenMode mode, const SqliteOptions& options = {});

// As LookAtTables and DropTables (stores/sql/legacy_tables.h).
LegacyTables DropSqliteTables(const Location& location, const std::optional<RowCounts>& drop_if);

}  // namespace flaky

#endif  // FLAKY_STORES_SQLITE_SQLITE_STORE_H_
