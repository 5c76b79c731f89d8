// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_TURSO_SCHEMA_H_
#define FLAKY_STORES_TURSO_SCHEMA_H_

#include <optional>
#include <string>

#include "stores/sql/adoption.h"
#include "stores/sql/ledger.h"
#include "stores/sql/tables.h"
#include "stores/turso/connection.h"

// Inspects, checks and upgrades the tables of one history on a libSQL server.
namespace flaky::turso {

// Reads the ledger. Needs one request if there is a ledger.
SchemaState ReadSchemaState(Connection& connection);

// Reads which of our tables there are, and their columns. Throws StoreError (kInvalid) if one of them isn't this
// program's (CheckTablesAreOurs).
TableColumns ReadOurTables(Connection& connection);

// Upgrades the schema, each migration in a separate transaction. If several processes do so at the same time, each
// migration is applied exactly once. With kLater, migrations that may come after the rows are left out. Throws
// StoreError, with nothing changed by the migration that failed.
//
// Imports the npm packages' tables of the same database (stores/sql/adoption.h) before the indexes are created, in
// transactions of some thousand runs. If the process is killed, the next process that opens the store for writing
// resumes the import. Returns a summary of those tables, if there are any.
std::optional<AdoptionSummary> UpgradeSchema(Connection& connection, DeferredIndexes after_rows);

// Returns true while rows of the npm packages' tables are being imported. Then only a part of the history can be read.
// `state`: of ReadSchemaState.
bool IsAdopting(Connection& connection, const SchemaState& state);

}  // namespace flaky::turso

#endif  // FLAKY_STORES_TURSO_SCHEMA_H_
