#ifndef FLAKY_TRANSFER_RATE_LIMITED_SINK_H_
#define FLAKY_TRANSFER_RATE_LIMITED_SINK_H_

#include <chrono>
#include <cstdint>
#include <functional>

#include "transfer/sink.h"

namespace flaky {

// A sink that is written no faster than so many rows (runs, parts and failures) a second, over any second: what arrives
// in one piece is handed on in pieces of a second's rows at most, though a record is never divided. The sink within
// must outlive it.
class RateLimitedSink : public Sink {
 public:
  // `rows_per_second` >= 1. `stop`, asked while waiting: true hands on what is left without waiting any more.
  RateLimitedSink(Sink& inner, int64_t rows_per_second, std::function<bool()> stop);

  const std::string& name() const override { return inner_.name(); }
  StoreLimits limits() const override { return inner_.limits(); }
  std::vector<WriteResult> Write(std::span<const RunRecord> records) override;
  std::vector<WriteResult> Replace(std::span<const RunRecord> records) override { return inner_.Replace(records); }
  std::vector<RunRecord> Present(std::span<const std::string> run_ids) override { return inner_.Present(run_ids); }
  std::vector<RunRecord> ReadBack(std::span<const std::string> run_ids) override { return inner_.ReadBack(run_ids); }
  void Finish() override { inner_.Finish(); }

 private:
  void WaitForTurn() const;

  Sink& inner_;
  const int64_t rows_per_second_;
  const std::function<bool()> stop_;
  std::chrono::steady_clock::time_point next_ = std::chrono::steady_clock::now();
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_RATE_LIMITED_SINK_H_
