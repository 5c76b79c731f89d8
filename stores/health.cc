#include "stores/health.h"

namespace flaky {

void AskForTime(StoreHealth& health, const std::function<std::optional<Timestamp>()>& question) {
  const Timestamp before = Timestamp::Now();
  const std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  const std::optional<Timestamp> theirs = question();
  health.round_trip = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  // The store read its clock at some time in between. Half-way is wrong by at most half a round trip.
  if (theirs) health.clock_ahead_us = theirs->micros - (before.micros + health.round_trip.count() / 2);
}

}  // namespace flaky
