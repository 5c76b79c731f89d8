#ifndef FLAKY_CLI_OUTPUT_RATE_METER_H_
#define FLAKY_CLI_OUTPUT_RATE_METER_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

namespace flaky {

// Measures the present rate of some work, from counts that arrive at irregular times. It uses the last ten seconds and
// at least the last two steps, so a fast beginning does not hide that the work has become slow. While a step takes
// longer than the steps before it, the rate decreases. A step that takes at least five seconds and four times as long
// as the steps before it is a stall; the rate after a stall does not depend on it.
class RateMeter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Starts with a count of 0.
  explicit RateMeter(Time begin) : samples_{{begin, 0}} {}

  // Adds the total `count` at the time `at`. Neither may decrease.
  void Add(Time at, int64_t count);

  // Returns the present rate, or nullopt if too little is known and in a stall.
  std::optional<double> PerSecond(Time now) const;

  // Returns the time until the count is `total` at this rate, or nullopt if the rate is unknown or nothing is left.
  std::optional<double> SecondsLeft(Time now, int64_t total) const;

  // Returns the time since the last step, or nullopt if this is not a stall.
  std::optional<double> SecondsStalled(Time now) const;

 private:
  struct Sample {
    Time at;
    int64_t count;
  };

  // Returns how long the current step may take without being late, or nullopt before the first step has ended.
  std::optional<Time::duration> Grace() const;

  std::deque<Sample> samples_;  // never empty
};

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_RATE_METER_H_
