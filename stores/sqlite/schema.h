#ifndef FLAKY_STORES_SQLITE_SCHEMA_H_
#define FLAKY_STORES_SQLITE_SCHEMA_H_

#include <string>
#include <string_view>

#include "stores/ledger.h"
#include "stores/sqlite/connection.h"
#include "stores/tables.h"

// The tables of one SQLite history: what is there, whether it is ours, and bringing it up to date.
namespace flaky {

// The columns of a table, in lower case. Empty: there is no such table.
ColumnSet ColumnsOf(SqliteConnection& connection, std::string_view table);

// What the ledger of this database says. One read, no lock beyond SQLite's own for reading.
SchemaState ReadSchemaState(SqliteConnection& connection);

// Throws StoreError (kInvalid, naming them) where a table with one of our names lacks columns that ours has had from
// the beginning: then it is somebody else's, and nothing may be done to it.
void CheckTablesAreOurs(SqliteConnection& connection);

// Brings the schema up to date, each migration in a transaction of its own; processes that do so at once apply each
// exactly once. Throws StoreError, with nothing changed by the migration that failed.
// With kLater, what may come after the rows is left out.
void UpgradeSchema(SqliteConnection& connection, AfterRows after_rows);

}  // namespace flaky

#endif  // FLAKY_STORES_SQLITE_SCHEMA_H_
