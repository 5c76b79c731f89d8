#ifndef FLAKY_STORES_SUPABASE_MIGRATE_H_
#define FLAKY_STORES_SUPABASE_MIGRATE_H_

#include <string>

#include "history/secret.h"
#include "stores/http/client.h"
#include "stores/location.h"
#include "stores/sql/schema_script.h"
#include "stores/store.h"

// How the tables and functions come into a Supabase project, whose REST interface runs no DDL. Both ways run the script
// of kSupabaseSql, which can be run again, and return the state after that; the interface itself may take some seconds
// to notice. Both throw StoreError. `project`: the store's location.
namespace flaky {

extern const SqlSchema kSupabaseSql;

// As MigrateFromOutside (stores/open.h): over the database, or over the Management API if `database` is empty.
SchemaState MigrateSupabase(const Location& project, const Secret& database, const Secret& management_token);

// Over the connection string of the project's database (postgres://…), by its owner. kInvalid in a build without the
// PostgreSQL store.
SchemaState MigrateSupabaseByDatabase(const Location& project, const Secret& database);

inline constexpr char kSupabaseManagement[] = "https://api.supabase.com";

// Over Supabase's Management API, with a personal access token, which has all of its account's power. kInvalid for a
// project that is not hosted at supabase.co.
SchemaState MigrateSupabaseByManagement(const Location& project, const Secret& token,
                                        const std::string& api = kSupabaseManagement, const HttpOptions& options = {});

}  // namespace flaky

#endif  // FLAKY_STORES_SUPABASE_MIGRATE_H_
