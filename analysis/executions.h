// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_EXECUTIONS_H_
#define FLAKY_ANALYSIS_EXECUTIONS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "analysis/history_index.h"

namespace flaky {

// Counts for 64 tests at once in how many sets they were: bit i of each count is a separate word, so that adding a
// set costs about two steps for 64 tests. The work does not grow with the number of executed tests.
class SetCounter {
 public:
  explicit SetCounter(size_t words) : words_(words) {}
  // Adds a set's words `times` times. Missing words are empty.
  void Add(std::span<const uint64_t> set, uint32_t times);
  uint32_t Count(size_t position) const;
  void Clear();

 private:
  size_t words_;
  std::vector<std::vector<uint64_t>> planes_;  // from the lowest bit on
};

// The bins into which time is cut.
struct TimeBins {
  int64_t first = 0;  // micros
  int64_t width = 1;
  uint32_t count = 1;
  uint32_t Of(int64_t at) const {
    if (at <= first) return 0;
    return static_cast<uint32_t>(std::min<int64_t>((at - first) / width, count - 1));
  }
  double DaysBetween(uint32_t a, uint32_t b) const;
};

// Returns at most 121 bins of at least six hours, from the first part to the last.
TimeBins CutTime(const HistoryIndex& index);

// How often some tests were executed in each bin, whatever happened.
class ExecutionsByBin {
 public:
  // Counts for the tests in ascending order of their ids. The memory is 4 bytes for each bin and test, and that of the
  // counters.
  ExecutionsByBin(const HistoryIndex& index, const TimeBins& bins, std::span<const TestId> tests);
  // Returns one count for each bin.
  std::span<const uint32_t> Of(size_t number) const { return {counts_.data() + number * bins_, bins_}; }

 private:
  size_t bins_;
  std::vector<uint32_t> counts_;
};

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_EXECUTIONS_H_
