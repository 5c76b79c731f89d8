// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SQL_ADDITIONS_H_
#define FLAKY_STORES_SQL_ADDITIONS_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stores/sql/tables.h"

namespace flaky {

// Returns what the user has added to a history, and what copies do not have: "the column flaky_test_runs.team", "the
// table notes". `columns`: of our tables. `tables`: of those that may be the user's; ours are left out, and so are
// those of histories with `other_prefixes` and of the npm packages.
std::vector<std::string> AdditionsTo(std::string_view prefix, const TableColumns& columns,
                                     std::span<const std::string> tables, std::span<const std::string> other_prefixes);

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_ADDITIONS_H_
