#ifndef FLAKY_STORES_SQLITE_SCHEMA_H_
#define FLAKY_STORES_SQLITE_SCHEMA_H_

#include <optional>
#include <string>
#include <string_view>

#include "stores/sql/adoption.h"
#include "stores/sql/ledger.h"
#include "stores/sql/tables.h"
#include "stores/sqlite/connection.h"

// The tables of one SQLite history: what is there, whether it is ours, and bringing it up to date.
namespace flaky {

// The columns of a table, in lower case. Empty: there is no such table.
ColumnSet ColumnsOf(SqliteConnection& connection, std::string_view table);

// What the ledger of this database says. One read, no lock beyond SQLite's own for reading.
SchemaState ReadSchemaState(SqliteConnection& connection);

// Throws StoreError (kInvalid, naming them) where a table with one of our names lacks columns that ours has had from
// the beginning: then it is somebody else's, and nothing may be done to it.
void CheckTablesAreOurs(SqliteConnection& connection);

// Brings the schema up to date, and copies what the tables of the npm packages beside it hold (stores/sql/adoption.h),
// all of it in one transaction; processes that do so at once do it exactly once. Throws StoreError, with nothing
// changed. With kLater, what may come after the rows is left out. Gives an account of the npm packages' tables, if
// there are any.
std::optional<AdoptionSummary> UpgradeSchema(SqliteConnection& connection, DeferredIndexes after_rows);

}  // namespace flaky

#endif  // FLAKY_STORES_SQLITE_SCHEMA_H_
