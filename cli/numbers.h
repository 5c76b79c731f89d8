#ifndef FLAKY_CLI_NUMBERS_H_
#define FLAKY_CLI_NUMBERS_H_

#include <cstdint>
#include <string>

namespace flaky {

// "1,234,567".
std::string WithThousands(int64_t number);

// "512 B", "1.5 kB", "20.3 MB": powers of 1000, one digit behind the point.
std::string AsBytes(int64_t bytes);

}  // namespace flaky

#endif  // FLAKY_CLI_NUMBERS_H_
