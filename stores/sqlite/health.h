// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SQLITE_HEALTH_H_
#define FLAKY_STORES_SQLITE_HEALTH_H_

#include "stores/health.h"
#include "stores/location.h"

namespace flaky::sqlite {

// Does what ExamineStore (stores/open.h) promises, for a SQLite file.
StoreHealth Examine(const Location& location);

}  // namespace flaky::sqlite

#endif  // FLAKY_STORES_SQLITE_HEALTH_H_
