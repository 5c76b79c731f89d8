#ifndef FLAKY_TESTS_SUPPORT_SOAK_H_
#define FLAKY_TESTS_SUPPORT_SOAK_H_

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

// Tests that repeat something many times do so a few times in every run of the tests, and often under `./dev soak`,
// which sets FLAKY_TEST_SOAK=1 and runs the programs that CMake calls SOAK. What such a test prints is all that is
// needed to repeat it.
namespace flaky {

inline bool Soaking() {
  const char* value = std::getenv("FLAKY_TEST_SOAK");
  return value != nullptr && std::string(value) == "1";
}

// How often; printed.
inline int64_t SoakCount(int64_t small, int64_t large) {
  const int64_t count = Soaking() ? large : small;
  std::printf("[   SOAK   ] count %lld\n", static_cast<long long>(count));
  return count;
}

// What random choices begin with; printed. Always the same in ordinary runs, another every time under `./dev soak`;
// FLAKY_TEST_SEED says which in both.
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
