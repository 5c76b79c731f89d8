#ifndef FLAKY_STORES_SUPABASE_SCHEMA_H_
#define FLAKY_STORES_SUPABASE_SCHEMA_H_

#include "stores/sql/ledger.h"
#include "stores/supabase/connection.h"

namespace flaky {

// What both ledgers of the project say, that of PostgreSQL's migrations and that of this store's own, as one. Throws
// StoreError: kMissing where the functions are not there.
SchemaState ReadSchemaState(SupabaseConnection& connection);

}  // namespace flaky

#endif  // FLAKY_STORES_SUPABASE_SCHEMA_H_
