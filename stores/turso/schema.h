#ifndef FLAKY_STORES_TURSO_SCHEMA_H_
#define FLAKY_STORES_TURSO_SCHEMA_H_

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "stores/sql/adoption.h"
#include "stores/sql/ledger.h"
#include "stores/sql/tables.h"
#include "stores/turso/connection.h"

// The tables of one history on a libSQL server: what is there, whether it is ours, and bringing it up to date.
namespace flaky {

// Whole names of tables, each with its columns in lower case; none: there is no such table.
using TableColumns = std::map<std::string, ColumnSet, std::less<>>;

// What the ledger says: one request, where there is one.
SchemaState ReadSchemaState(TursoConnection& connection);

// The tables that bear our names. Throws StoreError (kInvalid) where one of them is somebody else's.
TableColumns ReadOurTables(TursoConnection& connection);

bool HasIndex(TursoConnection& connection, const std::string& name);

// Brings the schema up to date, each migration in a transaction of its own; processes that do so at once apply each
// exactly once. Throws StoreError, with nothing changed by the migration that failed. With kLater, the last migrations
// are left out if they only make indexes.
//
// What the tables of the npm packages beside it hold (stores/sql/adoption.h) is copied before the indexes are made, in
// transactions of some thousand runs: whoever opens the store for writing next goes on where one was killed. Gives an
// account of those tables, if there are any.
std::optional<AdoptionSummary> UpgradeSchema(TursoConnection& connection, DeferredIndexes after_rows);

// True while rows of the npm packages' tables are on their way: then what can be read is not the whole history.
// `state` is what the ledger says.
bool IsAdopting(TursoConnection& connection, const SchemaState& state);

}  // namespace flaky

#endif  // FLAKY_STORES_TURSO_SCHEMA_H_
