#ifndef FLAKY_CLI_OUTPUT_NUMBERS_H_
#define FLAKY_CLI_OUTPUT_NUMBERS_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace flaky {

// Returns "1,234,567".
std::string WithThousands(int64_t number);

// Returns "1 run" or "1,234 runs".
std::string Counted(int64_t count, std::string_view what);

// Returns "512 B", "1.5 kB" or "20.3 MB": powers of 1000, with one decimal.
std::string AsBytes(int64_t bytes);

// Returns the number with `digits` decimals: "0.8" for 0.83 and 1. Precondition: at most 9 digits.
std::string Decimals(double number, int digits);

// Returns "0:07", "12:34" or "1:02:03": seconds as a clock shows them, rounded up. Precondition: not negative.
std::string AsClock(double seconds);

// Returns "0.82 s", "12.3 s", "3:05 min" or "1:02:03 h". Precondition: not negative.
std::string AsDuration(double seconds);

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_NUMBERS_H_
