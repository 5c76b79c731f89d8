#ifndef FLAKY_CLI_OUTPUT_RATE_METER_H_
#define FLAKY_CLI_OUTPUT_RATE_METER_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

namespace flaky {

// How fast something goes at present, from counts that come now and then. The last ten seconds matter, and the last two
// steps in any case: work that raced through its beginning is soon known to have become slow. While a step takes longer
// than those before it, the rate sinks; one that takes five seconds and four times as long is a stall, which tells
// nothing about the rate after it.
class RateMeter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Begins with a count of 0.
  explicit RateMeter(Time begin) : samples_{{begin, 0}} {}

  // `count` in all, by `at`; neither goes down.
  void Add(Time at, int64_t count);

  // Absent as long as there is too little to tell, and in a stall.
  std::optional<double> PerSecond(Time now) const;

  // Until the count is `total`, at this rate; absent where the rate is, and at the end.
  std::optional<double> SecondsLeft(Time now, int64_t total) const;

  // How long there has been no step; absent unless that is a stall.
  std::optional<double> SecondsStalled(Time now) const;

 private:
  struct Sample {
    Time at;
    int64_t count;
  };

  // A step in work is on time as long as it takes no longer than this. Absent before the first step's end.
  std::optional<Time::duration> Grace() const;

  std::deque<Sample> samples_;  // never empty
};

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_RATE_METER_H_
