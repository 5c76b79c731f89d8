#ifndef FLAKY_TESTS_SUPPORT_SOAK_H_
#define FLAKY_TESTS_SUPPORT_SOAK_H_

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

// Counts and seeds of tests that repeat something: a few times in ordinary runs, and many times under `./dev soak`,
// which sets FLAKY_TEST_SOAK=1 and runs the programs that CMake marks as SOAK. The output of such a test contains
// everything that is needed to repeat it.
namespace flaky {

inline bool Soaking() {
  const char* value = std::getenv("FLAKY_TEST_SOAK");
  return value != nullptr && std::string(value) == "1";
}

// Returns `large` under `./dev soak`, otherwise `small`, and prints it.
inline int64_t SoakCount(int64_t small, int64_t large) {
  const int64_t count = Soaking() ? large : small;
  std::printf("[   SOAK   ] count %lld\n", static_cast<long long>(count));
  return count;
}

// Returns the seed for random choices and prints it. It is 1 in ordinary runs and random under `./dev soak`.
// FLAKY_TEST_SEED overrides both.
inline uint64_t SoakSeed() {
  uint64_t seed = 1;
  if (const char* given = std::getenv("FLAKY_TEST_SEED")) {
    seed = std::strtoull(given, nullptr, 10);
  } else if (Soaking()) {
    seed = std::random_device{}();
  }
  std::printf("[   SOAK   ] FLAKY_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

}  // namespace flaky

#endif  // FLAKY_TESTS_SUPPORT_SOAK_H_
