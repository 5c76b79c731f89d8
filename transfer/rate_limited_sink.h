// SPDX-License-Identifier: MIT
#ifndef FLAKY_TRANSFER_RATE_LIMITED_SINK_H_
#define FLAKY_TRANSFER_RATE_LIMITED_SINK_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>

#include "transfer/sink.h"

namespace flaky {

// The clock of a rate limit, which tests replace.
struct RateClock {
  using TimePoint = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;
  std::function<TimePoint()> now = std::chrono::steady_clock::now;
  std::function<void(Duration)> sleep = [](Duration time) { std::this_thread::sleep_for(time); };
};

// Limits the rows (runs, parts and failures) that are written in any second, new and replaced rows together. A larger
// write is divided into writes of at most that many rows. A record is never divided, so one record may exceed the
// limit. The inner sink must outlive it.
class RateLimitedSink : public Sink {
 public:
  // `rows_per_second` >= 1. `stop` is asked while waiting. If it returns true, the rest is written without waiting.
  RateLimitedSink(Sink& inner, int64_t rows_per_second, std::function<bool()> stop, RateClock clock = {});

  const std::string& name() const override { return inner_.name(); }
  StoreLimits limits() const override { return inner_.limits(); }
  std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting on_existing) override;
  std::vector<RunRecord> Present(std::span<const std::string> run_ids) override { return inner_.Present(run_ids); }
  std::vector<RunRecord> ReadBack(std::span<const std::string> run_ids) override { return inner_.ReadBack(run_ids); }
  void Finish() override { inner_.Finish(); }

 private:
  void WaitForTurn() const;

  Sink& inner_;
  const int64_t rows_per_second_;
  const std::function<bool()> stop_;
  const RateClock clock_;
  RateClock::TimePoint next_;
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_RATE_LIMITED_SINK_H_
