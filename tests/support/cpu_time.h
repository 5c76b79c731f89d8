#ifndef FLAKY_TESTS_SUPPORT_CPU_TIME_H_
#define FLAKY_TESTS_SUPPORT_CPU_TIME_H_

#include <time.h>

namespace flaky {

// Returns the processor time that this process has used, in seconds. Bounds on it hold on a busy or stalled machine,
// too, because time spent waiting does not count.
inline double CpuSeconds() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

}  // namespace flaky

#endif  // FLAKY_TESTS_SUPPORT_CPU_TIME_H_
