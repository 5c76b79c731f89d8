#ifndef FLAKY_CLI_OUTPUT_STOPWATCH_H_
#define FLAKY_CLI_OUTPUT_STOPWATCH_H_

#include <chrono>
#include <cmath>

namespace flaky {

// Measures the time since its construction.
class Stopwatch {
 public:
  // Returns the elapsed time, with a resolution of a millisecond.
  double Seconds() const {
    return std::round(std::chrono::duration<double, std::milli>(Clock::now() - begin_).count()) / 1000;
  }

 private:
  using Clock = std::chrono::steady_clock;

  Clock::time_point begin_ = Clock::now();
};

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_STOPWATCH_H_
