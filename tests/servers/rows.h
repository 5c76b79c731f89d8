#ifndef FLAKY_TESTS_SERVERS_ROWS_H_
#define FLAKY_TESTS_SERVERS_ROWS_H_

#include <optional>
#include <string>
#include <vector>

namespace flaky {

// The rows of a query as text. nullopt is NULL.
using Rows = std::vector<std::vector<std::optional<std::string>>>;

}  // namespace flaky

#endif  // FLAKY_TESTS_SERVERS_ROWS_H_
