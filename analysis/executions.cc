// SPDX-License-Identifier: MIT
#include "analysis/executions.h"

#include <algorithm>
#include <map>

namespace flaky {
namespace {

constexpr int64_t kShortestBin = 6 * 3600 * kMicrosPerSecond;
constexpr int64_t kMostBins = 120;

}  // namespace

void SetCounter::Add(std::span<const uint64_t> set, uint32_t times) {
  const size_t words = std::min(words_, set.size());
  for (size_t bit = 0; times >> bit != 0; ++bit) {
    if ((times >> bit & 1) == 0) continue;
    for (size_t word = 0; word < words; ++word) {
      uint64_t carry = set[word];
      for (size_t plane = bit; carry != 0; ++plane) {
        while (plane >= planes_.size()) planes_.emplace_back(words_, 0);
        uint64_t& sum = planes_[plane][word];
        const uint64_t both = sum & carry;
        sum ^= carry;
        carry = both;
      }
    }
  }
}

uint32_t SetCounter::Count(size_t position) const {
  uint32_t count = 0;
  for (size_t plane = 0; plane < planes_.size(); ++plane) {
    count |= static_cast<uint32_t>(planes_[plane][position / 64] >> position % 64 & 1) << plane;
  }
  return count;
}

void SetCounter::Clear() {
  for (auto& plane : planes_) std::fill(plane.begin(), plane.end(), 0);
}

double TimeBins::DaysBetween(uint32_t a, uint32_t b) const {
  return static_cast<double>(b - a) * static_cast<double>(width) / static_cast<double>(kMicrosPerDay);
}

TimeBins CutTime(const HistoryIndex& index) {
  if (index.order.empty()) return {};
  const int64_t first = index.parts[index.order.front()].start;
  const int64_t last = index.parts[index.order.back()].start;
  const int64_t width = std::max(kShortestBin, (last - first) / kMostBins + 1);
  return {.first = first, .width = width, .count = static_cast<uint32_t>((last - first) / width + 1)};
}

ExecutionsByBin::ExecutionsByBin(const HistoryIndex& index, const TimeBins& bins, std::span<const TestId> tests)
    : bins_(bins.count), counts_(tests.size() * bins.count) {
  if (tests.empty()) return;
  SetCounter counter(tests.back() / 64 + 1);
  std::map<RosterIndex, uint32_t> times;  // of this bin
  for (size_t next = 0; next < index.order.size();) {
    const uint32_t bin = bins.Of(index.parts[index.order[next]].start);
    times.clear();
    for (; next < index.order.size(); ++next) {
      const HistoryIndex::Part& part = index.parts[index.order[next]];
      if (bins.Of(part.start) != bin) break;
      times[part.roster] += part.repetitions;
    }
    counter.Clear();
    for (const auto& [roster, count] : times) {
      counter.Add(roster == kNoIndex ? index.assumed.words() : index.rosters[roster].words(), count);
    }
    for (size_t i = 0; i < tests.size(); ++i) counts_[i * bins_ + bin] = counter.Count(tests[i]);
  }
  for (const HistoryIndex::Difference& difference : index.differences) {
    const auto found = std::lower_bound(tests.begin(), tests.end(), difference.test);
    if (found == tests.end() || *found != difference.test || index.rank[difference.part] == kNoIndex) continue;
    const auto number = static_cast<size_t>(found - tests.begin());
    uint32_t& count = counts_[number * bins_ + bins.Of(index.parts[difference.part].start)];
    count = static_cast<uint32_t>(std::max<int64_t>(0, int64_t{count} + difference.more));
  }
}

}  // namespace flaky
