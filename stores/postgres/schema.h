#ifndef FLAKY_STORES_POSTGRES_SCHEMA_H_
#define FLAKY_STORES_POSTGRES_SCHEMA_H_

#include <map>
#include <string>
#include <string_view>

#include "stores/postgres/connection.h"
#include "stores/sql/ledger.h"
#include "stores/sql/tables.h"

// The tables of one history in PostgreSQL: what is there, whether it is ours, and bringing it up to date. Tables are
// found along the search path, as any client finds them. All functions throw what libpqxx throws, and StoreError.
namespace flaky {

// The columns of each of our tables that is there, by the table's name without the prefix.
using PresentColumns = std::map<std::string, ColumnSet, std::less<>>;
PresentColumns ColumnsInPostgres(const PostgresConnection& connection, pqxx::connection& session);

struct PostgresSchema {
  SchemaState state;
  std::string encoding;  // the database's: "UTF8"
};

// What the ledger says. One round trip and no lock where there is a ledger.
PostgresSchema ReadPostgresSchema(const PostgresConnection& connection, pqxx::connection& session);

// Throws StoreError (kInvalid, naming them) where a table with one of our names lacks columns that ours has had from
// the beginning: then it is somebody else's, and nothing may be done to it.
void CheckTablesAreOurs(const PostgresConnection& connection, const PresentColumns& present);

// Brings the schema up to date, each migration in a transaction of its own under a lock, so that processes that do so
// at once apply each exactly once. Throws StoreError, with nothing changed by the migration that failed: kAuth where
// the role may not make or change tables. With kLater, what may come after the rows is left out.
void UpgradePostgresSchema(const PostgresConnection& connection, pqxx::connection& session, DeferredIndexes after_rows);

}  // namespace flaky

#endif  // FLAKY_STORES_POSTGRES_SCHEMA_H_
