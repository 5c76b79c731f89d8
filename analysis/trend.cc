// SPDX-License-Identifier: MIT
#include "analysis/trend.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace flaky {
namespace {

constexpr int64_t kDaysPerWeek = 7;

int64_t FloorDiv(int64_t value, int64_t divisor) {
  const int64_t quotient = value / divisor;
  return value % divisor < 0 ? quotient - 1 : quotient;
}

int64_t DayOf(Timestamp at) { return FloorDiv(at.micros, kMicrosPerDay); }

// 1970-01-01 was a Thursday, three days after a Monday.
int64_t MondayBefore(int64_t day) { return FloorDiv(day + 3, kDaysPerWeek) * kDaysPerWeek - 3; }

}  // namespace

Trend::Trend(TrendPeriod period, Timestamp first, Timestamp last)
    : length_(period == TrendPeriod::kWeek ? kDaysPerWeek : 1),
      first_day_(period == TrendPeriod::kWeek ? MondayBefore(DayOf(first)) : DayOf(first)),
      first_(first),
      last_(last) {
  for (int64_t day = first_day_; day <= DayOf(last); day += length_) {
    buckets_.push_back({.date = Timestamp{day * kMicrosPerDay}.Date()});
  }
  tests_.resize(buckets_.size());
}

void Trend::AddRun(Timestamp started_at, bool failed) {
  const size_t index = IndexOf(started_at);
  if (index == kOutside) return;
  ++buckets_[index].runs;
  if (failed) ++buckets_[index].failed_runs;
}

void Trend::AddFailure(Timestamp failed_at, std::string_view test_name) {
  const size_t index = IndexOf(failed_at);
  if (index == kOutside) return;
  ++buckets_[index].failures;
  if (!tests_[index].contains(test_name)) tests_[index].emplace(test_name);
}

void Trend::AddFailureOutsideTests(Timestamp failed_at) {
  if (const size_t index = IndexOf(failed_at); index != kOutside) ++buckets_[index].outside_tests;
}

void Trend::AddExecutions(Timestamp started_at, int64_t executed, int64_t failed) {
  const size_t index = IndexOf(started_at);
  if (index == kOutside) return;
  buckets_[index].executed += executed;
  buckets_[index].failed += failed;
}

std::vector<TrendBucket> Trend::Buckets(std::optional<Timestamp> begin) const {
  std::vector<TrendBucket> counted = buckets_;
  for (size_t i = 0; i < counted.size(); ++i) counted[i].failing_tests = static_cast<int64_t>(tests_[i].size());
  const size_t first = !begin || *begin > last_ || *begin < first_ ? 0 : IndexOf(*begin);
  counted.erase(counted.begin(), counted.begin() + static_cast<std::ptrdiff_t>(first));
  return counted;
}

size_t Trend::IndexOf(Timestamp at) const {
  if (at < first_ || at > last_) return kOutside;
  return static_cast<size_t>((DayOf(at) - first_day_) / length_);
}

std::string Sparkline(const std::vector<int64_t>& values) {
  constexpr std::array<std::string_view, 8> kBlocks = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const int64_t greatest = values.empty() ? 0 : *std::max_element(values.begin(), values.end());
  std::string line;
  for (const int64_t value : values) {
    if (value <= 0) {
      line += ' ';
    } else {
      // Floating point cannot overflow, and the greatest value is exactly the last block.
      const double share = static_cast<double>(value) / static_cast<double>(greatest);
      const auto height = static_cast<size_t>(std::lround(share * static_cast<double>(kBlocks.size() - 1)));
      line += kBlocks[std::min(height, kBlocks.size() - 1)];
    }
  }
  return line;
}

}  // namespace flaky
