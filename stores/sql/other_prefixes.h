#ifndef FLAKY_STORES_SQL_OTHER_PREFIXES_H_
#define FLAKY_STORES_SQL_OTHER_PREFIXES_H_

#include <span>
#include <string>
#include <string_view>

#include "stores/health.h"

namespace flaky {

// Sets StoreHealth::other_prefixes to the prefixes, other than `prefix`, of the histories among `tables`, which are all
// table names.
void FindOtherPrefixes(StoreHealth& health, std::span<const std::string> tables, std::string_view prefix);

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_OTHER_PREFIXES_H_
