// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_POSTGRES_HEALTH_H_
#define FLAKY_STORES_POSTGRES_HEALTH_H_

#include "stores/health.h"
#include "stores/location.h"

namespace flaky::postgres {

// Does what ExamineStore (stores/open.h) promises, for a PostgreSQL database.
StoreHealth Examine(const Location& location);

}  // namespace flaky::postgres

#endif  // FLAKY_STORES_POSTGRES_HEALTH_H_
