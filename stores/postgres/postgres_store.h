#ifndef FLAKY_STORES_POSTGRES_POSTGRES_STORE_H_
#define FLAKY_STORES_POSTGRES_POSTGRES_STORE_H_

#include <memory>
#include <optional>

#include "stores/location.h"
#include "stores/sql/legacy_tables.h"
#include "stores/store.h"

namespace flaky {

// Opens the history in the PostgreSQL database that `location` names, in the schema that its search path finds first.
// The address is what libpq takes: a URI, `keyword=value` settings, or nothing, which leaves all to the PG* variables.
std::unique_ptr<Store> OpenPostgres(const Location& location, OpenMode mode);

// As LookAtTables and DropTables (stores/sql/legacy_tables.h).
LegacyTables DropPostgresTables(const Location& location, const std::optional<RowCounts>& drop_if);

}  // namespace flaky

#endif  // FLAKY_STORES_POSTGRES_POSTGRES_STORE_H_
