#include "transfer/rate_limited_sink.h"

#include <algorithm>
#include <iterator>
#include <thread>
#include <utility>

namespace flaky {
namespace {

using Clock = std::chrono::steady_clock;

// How soon a wish to stop is noticed.
constexpr std::chrono::milliseconds kSlice{50};

int64_t RowsOf(const RunRecord& record) {
  return 1 + static_cast<int64_t>(record.parts.size()) + static_cast<int64_t>(record.failures.size());
}

}  // namespace

RateLimitedSink::RateLimitedSink(Sink& inner, int64_t rows_per_second, std::function<bool()> stop)
    : inner_(inner), rows_per_second_(rows_per_second), stop_(std::move(stop)) {}

std::vector<WriteResult> RateLimitedSink::Write(std::span<const RunRecord> records) {
  std::vector<WriteResult> results;
  results.reserve(records.size());
  while (!records.empty()) {
    int64_t rows = RowsOf(records.front());
    size_t count = 1;
    while (count < records.size() && rows + RowsOf(records[count]) <= rows_per_second_)
      rows += RowsOf(records[count++]);
    WaitForTurn();
    std::ranges::move(inner_.Write(records.first(count)), std::back_inserter(results));
    records = records.subspan(count);
    const std::chrono::duration<double> worth(static_cast<double>(rows) / static_cast<double>(rows_per_second_));
    next_ = std::max(next_, Clock::now()) + std::chrono::duration_cast<Clock::duration>(worth);
  }
  return results;
}

void RateLimitedSink::WaitForTurn() const {
  while (!(stop_ && stop_())) {
    const Clock::duration left = next_ - Clock::now();
    if (left <= Clock::duration::zero()) return;
    std::this_thread::sleep_for(std::min<Clock::duration>(left, kSlice));
  }
}

}  // namespace flaky
