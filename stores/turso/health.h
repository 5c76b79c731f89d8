#ifndef FLAKY_STORES_TURSO_HEALTH_H_
#define FLAKY_STORES_TURSO_HEALTH_H_

#include "stores/health.h"
#include "stores/location.h"

namespace flaky {

// As ExamineStore (stores/open.h).
StoreHealth ExamineTurso(const Location& location);

}  // namespace flaky

#endif  // FLAKY_STORES_TURSO_HEALTH_H_
