// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SUPABASE_HEALTH_H_
#define FLAKY_STORES_SUPABASE_HEALTH_H_

#include "stores/health.h"
#include "stores/location.h"

namespace flaky::supabase {

// Does what ExamineStore (stores/open.h) promises, for a Supabase project.
StoreHealth Examine(const Location& location);

}  // namespace flaky::supabase

#endif  // FLAKY_STORES_SUPABASE_HEALTH_H_
