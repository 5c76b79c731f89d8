#ifndef FLAKY_TESTS_SERVERS_ROWS_H_
#define FLAKY_TESTS_SERVERS_ROWS_H_

#include <optional>
#include <string>
#include <vector>

namespace flaky {

// A query's answer as text; absent is NULL.
using Rows = std::vector<std::vector<std::optional<std::string>>>;

}  // namespace flaky

#endif  // FLAKY_TESTS_SERVERS_ROWS_H_
