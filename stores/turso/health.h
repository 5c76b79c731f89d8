// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_TURSO_HEALTH_H_
#define FLAKY_STORES_TURSO_HEALTH_H_

#include "stores/health.h"
#include "stores/location.h"

namespace flaky::turso {

// Does what ExamineStore (stores/open.h) promises, for a libSQL server.
StoreHealth Examine(const Location& location);

}  // namespace flaky::turso

#endif  // FLAKY_STORES_TURSO_HEALTH_H_
