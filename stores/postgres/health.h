#ifndef FLAKY_STORES_POSTGRES_HEALTH_H_
#define FLAKY_STORES_POSTGRES_HEALTH_H_

#include "stores/health.h"
#include "stores/location.h"

namespace flaky {

// As ExamineStore (stores/open.h).
StoreHealth ExaminePostgres(const Location& location);

}  // namespace flaky

#endif  // FLAKY_STORES_POSTGRES_HEALTH_H_
