#ifndef FLAKY_STORES_POSTGRES_SCHEMA_H_
#define FLAKY_STORES_POSTGRES_SCHEMA_H_

#include <string>

#include "stores/postgres/connection.h"
#include "stores/sql/ledger.h"
#include "stores/sql/tables.h"

// The tables of one history in PostgreSQL: what is there, whether it is ours, and bringing it up to date. Tables are
// found along the search path, as any client finds them. All functions throw what libpqxx throws, and StoreError.
namespace flaky::postgres {

// Reads which of our tables there are, and their columns. Throws StoreError (kInvalid) if one of them isn't this
// program's (CheckTablesAreOurs).
TableColumns ReadOurTables(const Connection& connection, pqxx::connection& session);

// What the ledger says. One round trip and no lock where there is a ledger. `encoding`, if it isn't null, receives the
// database's ("UTF8").
SchemaState ReadSchemaState(const Connection& connection, pqxx::connection& session, std::string* encoding = nullptr);

// Brings the schema up to date, each migration in a transaction of its own under a lock, so that processes that do so
// at once apply each exactly once. Throws StoreError, with nothing changed by the migration that failed: kAuth where
// the role may not make or change tables. With kLater, what may come after the rows is left out.
void UpgradeSchema(const Connection& connection, pqxx::connection& session, DeferredIndexes after_rows);

}  // namespace flaky::postgres

#endif  // FLAKY_STORES_POSTGRES_SCHEMA_H_
