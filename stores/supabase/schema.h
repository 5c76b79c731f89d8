// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SUPABASE_SCHEMA_H_
#define FLAKY_STORES_SUPABASE_SCHEMA_H_

#include "stores/sql/ledger.h"
#include "stores/supabase/connection.h"

namespace flaky::supabase {

// Reads both ledgers of the project, that of PostgreSQL's migrations and that of this store's, as one state. Throws
// StoreError: kMissing if the functions don't exist.
SchemaState ReadSchemaState(Connection& connection);

}  // namespace flaky::supabase

#endif  // FLAKY_STORES_SUPABASE_SCHEMA_H_
