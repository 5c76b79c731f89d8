#ifndef FLAKY_STORES_SUPABASE_MIGRATE_H_
#define FLAKY_STORES_SUPABASE_MIGRATE_H_

#include <string>

#include "history/secret.h"
#include "stores/http/client.h"
#include "stores/location.h"
#include "stores/sql/schema_script.h"
#include "stores/store.h"

// How the tables and functions come into a Supabase project, whose REST interface runs no DDL. Both ways run the script
// of kSql, which can be run again, and return the state after that; the interface itself may take some seconds
// to notice. Both throw StoreError. `project`: the store's location.
namespace flaky::supabase {

extern const SqlSchema kSql;

// As MigrateFromOutside (stores/open.h): over the database, or over the Management API if `database` is empty.
SchemaState Migrate(const Location& project, const Secret& database, const Secret& management_token);

// Over the connection string of the project's database (postgres://…), by its owner. kInvalid in a build without the
// PostgreSQL store.
SchemaState MigrateByDatabase(const Location& project, const Secret& database);

inline constexpr char kManagementApi[] = "https://api.supabase.com";

// Over Supabase's Management API, with a personal access token, which has all of its account's power. kInvalid for a
// project that is not hosted at supabase.co.
SchemaState MigrateByManagement(const Location& project, const Secret& token, const std::string& api = kManagementApi,
                                const http::Options& options = {});

}  // namespace flaky::supabase

#endif  // FLAKY_STORES_SUPABASE_MIGRATE_H_
