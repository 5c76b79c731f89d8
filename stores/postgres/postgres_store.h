// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_POSTGRES_POSTGRES_STORE_H_
#define FLAKY_STORES_POSTGRES_POSTGRES_STORE_H_

#include <memory>
#include <optional>

#include "stores/driver.h"
#include "stores/location.h"
#include "stores/store.h"

namespace flaky::postgres {

// Opens the history in the PostgreSQL database that `location` names, in the first schema of its search path that has
// one. The address is what libpq takes: a URI, `keyword=value` settings, or nothing, which leaves all to the PG*
// variables.
std::unique_ptr<Store> Open(const Location& location, OpenMode mode);

// Looks at the tables or, with `drop_if`, drops them: LookAtTables and DropTables (stores/open.h).
LegacyTables DropTables(const Location& location, const std::optional<RowCounts>& drop_if);

extern const Driver kDriver;

}  // namespace flaky::postgres

#endif  // FLAKY_STORES_POSTGRES_POSTGRES_STORE_H_
