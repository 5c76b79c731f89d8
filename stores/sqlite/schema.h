// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SQLITE_SCHEMA_H_
#define FLAKY_STORES_SQLITE_SCHEMA_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stores/sql/adoption.h"
#include "stores/sql/ledger.h"
#include "stores/sql/tables.h"
#include "stores/sqlite/connection.h"

// Inspects, checks and upgrades the tables of one SQLite history.
namespace flaky::sqlite {

// Returns the columns of a table, in lower case; none if there is no such table.
ColumnSet ColumnsOf(Connection& connection, std::string_view table);

// Reads the ledger of this database, with one read and no lock beyond SQLite's own for reading.
SchemaState ReadSchemaState(Connection& connection);

// Reads which of our tables there are, and their columns. Throws StoreError (kInvalid) if one of them isn't this
// program's (CheckTablesAreOurs).
TableColumns ReadOurTables(Connection& connection);

// Returns the names of the database's tables and views if it is another program's: it has some, but neither a history
// of this program, with any prefix, nor a table of the npm packages. Returns nothing otherwise.
std::vector<std::string> ForeignTables(Connection& connection);

// Throws StoreError (kInvalid) if there are such tables.
void RefuseForeign(const Connection& connection, const std::vector<std::string>& tables);

// Throws StoreError (kInvalid), and has not touched the file or its companions, if it is another program's database.
// Does nothing if that is unknown, or if its tables are only in the log: then opening the file reports what is wrong.
void RefuseForeignFile(const Location& location);

// Upgrades the schema, and imports the npm packages' tables of the same database (stores/sql/adoption.h), all in one
// transaction. If several processes do so at the same time, it is done exactly once. With kLater, migrations that may
// come after the rows are left out. Returns a summary of the npm packages' tables, if there are any. Throws StoreError,
// with nothing changed.
std::optional<AdoptionSummary> UpgradeSchema(Connection& connection, DeferredIndexes after_rows);

}  // namespace flaky::sqlite

#endif  // FLAKY_STORES_SQLITE_SCHEMA_H_
