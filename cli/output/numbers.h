#ifndef FLAKY_CLI_OUTPUT_NUMBERS_H_
#define FLAKY_CLI_OUTPUT_NUMBERS_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace flaky {

// "1,234,567".
std::string WithThousands(int64_t number);

// "1 run", "1,234 runs".
std::string Counted(int64_t count, std::string_view what);

// "512 B", "1.5 kB", "20.3 MB": powers of 1000, one digit behind the point.
std::string AsBytes(int64_t bytes);

// "0.8" of 0.83 with one digit behind the point. Precondition: at most 9 digits.
std::string Decimals(double number, int digits);

// "0:07", "12:34", "1:02:03": seconds as a clock shows them, rounded up. Precondition: not negative.
std::string AsClock(double seconds);

// "0.82 s", "12.3 s", "3:05 min", "1:02:03 h". Precondition: not negative.
std::string AsDuration(double seconds);

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_NUMBERS_H_
