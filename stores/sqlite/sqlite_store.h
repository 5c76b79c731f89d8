#ifndef FLAKY_STORES_SQLITE_SQLITE_STORE_H_
#define FLAKY_STORES_SQLITE_SQLITE_STORE_H_

#include <memory>
#include <optional>

#include "stores/driver.h"
#include "stores/location.h"
#include "stores/sqlite/options.h"
#include "stores/store.h"

namespace flaky::sqlite {

// Opens the history in the SQLite file that `location` names.
//
// For writing, a missing file is created with mode 0600 in a folder that must exist; the database is put into WAL mode.
// For reading, nothing is created or changed (SQLite itself moves a log that a dead writer left into the database); a
// database in WAL mode within a folder that cannot be written is read as long as no writer has left it open.
//
// A database of the npm package @flaky-tests/store-sqlite 0.2 (prefix "") is a history, too: read as it is, or upgraded
// by nullable columns and tables of our own. Throws StoreError: kMissing (no such file, folder or tables), kInvalid
// (not a file, not a database, damaged, somebody else's tables), kAuth, kSchemaTooNew, kTransient (locked too long).
std::unique_ptr<Store> Open(const Location& location, OpenMode mode, const Options& options = {});

// As LookAtTables and DropTables (stores/open.h).
LegacyTables DropTables(const Location& location, const std::optional<RowCounts>& drop_if);

// What the program knows of this store.
extern const Driver kDriver;

}  // namespace flaky::sqlite

#endif  // FLAKY_STORES_SQLITE_SQLITE_STORE_H_
