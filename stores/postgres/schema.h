// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_POSTGRES_SCHEMA_H_
#define FLAKY_STORES_POSTGRES_SCHEMA_H_

#include <string>

#include "stores/postgres/connection.h"
#include "stores/sql/ledger.h"
#include "stores/sql/tables.h"

// Inspects, checks and upgrades the tables of one history in PostgreSQL, in the connection's schema
// (stores/postgres/access.h). All functions throw what libpqxx throws, and StoreError.
namespace flaky::postgres {

// Reads which of our tables there are, and their columns. Throws StoreError (kInvalid) if one of them isn't this
// program's (CheckTablesAreOurs).
TableColumns ReadOurTables(const Connection& connection, pqxx::connection& session);

// Reads the ledger. If there is one, this needs one round trip and no lock. `encoding` receives the database's encoding
// ("UTF8"), unless it is null.
SchemaState ReadSchemaState(const Connection& connection, pqxx::connection& session, std::string* encoding = nullptr);

// Upgrades the schema, each migration in a separate transaction under a lock. If several processes do so at the same
// time, each migration is applied exactly once. With kLater, migrations that may come after the rows are left out.
// Throws StoreError, with nothing changed by the migration that failed: kAuth if the role may not create or change
// tables.
// Each migration also closes the tables (ClosingBlock in stores/sql/boundaries.h).
void UpgradeSchema(const Connection& connection, pqxx::connection& session, DeferredIndexes after_rows);

// Closes the tables to public roles, under the same lock. The role must own them.
void CloseTables(const Connection& connection, pqxx::connection& session);

}  // namespace flaky::postgres

#endif  // FLAKY_STORES_POSTGRES_SCHEMA_H_
