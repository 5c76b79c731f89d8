#ifndef FLAKY_STORES_SUPABASE_MIGRATE_H_
#define FLAKY_STORES_SUPABASE_MIGRATE_H_

#include <string>

#include "history/secret.h"
#include "stores/http/client.h"
#include "stores/location.h"
#include "stores/store.h"

// How the tables and functions come into a Supabase project, whose REST interface runs no DDL. Both ways run what
// SchemaScript("supabase", …) gives, which can be run again, and give the state after that; the interface itself may
// take some seconds to notice. Both throw StoreError. `project`: the store's location.
namespace flaky {

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
