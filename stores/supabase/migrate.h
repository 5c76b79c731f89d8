#ifndef FLAKY_STORES_SUPABASE_MIGRATE_H_
#define FLAKY_STORES_SUPABASE_MIGRATE_H_

#include <string>

#include "history/secret.h"
#include "stores/driver.h"
#include "stores/http/client.h"
#include "stores/location.h"
#include "stores/sql/schema_script.h"
#include "stores/store.h"

// Creates the tables and functions in a Supabase project, whose REST interface can't run DDL. All functions run the
// script of kSql, which can be run again, and return the state after that. The REST interface may need some seconds to
// notice the change. All throw StoreError. `project`: the store's location.
namespace flaky::supabase {

extern const SqlSchema kSql;

// Does what MigrateFromOutside (stores/open.h) promises: connects to the database, or uses the Management API if
// `database` is empty.
SchemaState Migrate(const Location& project, const Secret& database, const Secret& management_token,
                    const Driver* script_driver);

// Connects to the project's database as its owner. `database`: the connection string (postgres://…). Throws kInvalid in
// a build without the PostgreSQL store, which is `script_driver`.
SchemaState MigrateByDatabase(const Location& project, const Secret& database, const Driver* script_driver);

inline constexpr char kManagementApi[] = "https://api.supabase.com";

// Uses Supabase's Management API with a personal access token, which has all rights of its account. Throws kInvalid for
// a project that isn't hosted at supabase.co.
SchemaState MigrateByManagement(const Location& project, const Secret& token, const std::string& api = kManagementApi,
                                const http::Options& options = {});

}  // namespace flaky::supabase

#endif  // FLAKY_STORES_SUPABASE_MIGRATE_H_
