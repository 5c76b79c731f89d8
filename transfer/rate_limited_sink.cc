// SPDX-License-Identifier: MIT
#include "transfer/rate_limited_sink.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace flaky {
namespace {

// How often `stop` is asked while waiting.
constexpr std::chrono::milliseconds kSlice{50};

int64_t RowsOf(const RunRecord& record) {
  return 1 + static_cast<int64_t>(record.parts.size()) + static_cast<int64_t>(record.failures.size());
}

}  // namespace

RateLimitedSink::RateLimitedSink(Sink& inner, int64_t rows_per_second, std::function<bool()> stop, RateClock clock)
    : inner_(inner),
      rows_per_second_(rows_per_second),
      stop_(std::move(stop)),
      clock_(std::move(clock)),
      next_(clock_.now()) {}

std::vector<WriteResult> RateLimitedSink::Write(std::span<const RunRecord> records, OnExisting on_existing) {
  std::vector<WriteResult> results;
  results.reserve(records.size());
  while (!records.empty()) {
    int64_t rows = RowsOf(records.front());
    size_t count = 1;
    while (count < records.size() && rows + RowsOf(records[count]) <= rows_per_second_)
      rows += RowsOf(records[count++]);
    WaitForTurn();
    std::ranges::move(inner_.Write(records.first(count), on_existing), std::back_inserter(results));
    records = records.subspan(count);
    const std::chrono::duration<double> worth(static_cast<double>(rows) / static_cast<double>(rows_per_second_));
    next_ = std::max(next_, clock_.now()) + std::chrono::duration_cast<RateClock::Duration>(worth);
  }
  return results;
}

void RateLimitedSink::WaitForTurn() const {
  while (!(stop_ && stop_())) {
    const RateClock::Duration left = next_ - clock_.now();
    if (left <= RateClock::Duration::zero()) return;
    clock_.sleep(std::min<RateClock::Duration>(left, kSlice));
  }
}

}  // namespace flaky
