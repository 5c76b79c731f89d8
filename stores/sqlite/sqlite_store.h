// SPDX-License-Identifier: MIT
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
// For writing, creates a missing file with mode 0600, in a folder that must exist, and puts the database into WAL mode.
// For reading, creates and changes nothing (except that SQLite itself moves a log that a dead writer left into the
// database). A database in WAL mode in a folder that isn't writable can be read unless a writer has left it open.
//
// A database of the npm package @flaky-tests/store-sqlite 0.2 (prefix "") is a history, too: it is read as it is, or
// upgraded by nullable columns and by tables of ours. Throws StoreError: kMissing (no such file, folder or tables),
// kInvalid (not a file, not a database, damaged, tables of another program), kAuth, kSchemaTooNew, kTransient (locked
// for too long).
std::unique_ptr<Store> Open(const Location& location, OpenMode mode, const Options& options = {});

// Looks at the tables or, with `drop_if`, drops them: LookAtTables and DropTables (stores/open.h).
LegacyTables DropTables(const Location& location, const std::optional<RowCounts>& drop_if);

extern const Driver kDriver;

}  // namespace flaky::sqlite

#endif  // FLAKY_STORES_SQLITE_SQLITE_STORE_H_
