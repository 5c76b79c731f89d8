// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_HINTS_H_
#define FLAKY_ANALYSIS_HINTS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/code_events.h"
#include "analysis/history_index.h"
#include "analysis/posterior.h"
#include "analysis/verdict.h"

namespace flaky {

// Finds conditions on which the failures of a flaky test depend: a variant, a host, the default branch or the others,
// two hours of the day, shuffling, the preceding test, a signal.
//
// Conditions overlap: a nightly job has its hour, its variant and shuffling. So only the one condition that explains
// the failures best is named, and only if it holds for most failures and chance does not explain it: its likelihood
// ratio passes the level 0.001, divided by the number of conditions that were tried.
class HintFinder {
 public:
  HintFinder(const HistoryIndex& index, double clustering);
  std::vector<Hint> Find(std::span<const CodeEvent> events, std::span<const Fault> faults) const;

 private:
  // Parts that are equal in everything that a hint may name.
  struct Stratum {
    RosterIndex roster = 0;
    uint16_t variant = 0;
    uint16_t host = 0;
    uint8_t hour = 0;
    bool shuffled = false;
    bool default_branch = false;
    uint32_t executions = 0;
    auto operator<=>(const Stratum&) const = default;
  };
  Stratum Of(const HistoryIndex::Part& part) const;

  const HistoryIndex& index_;
  double clustering_;
  std::vector<Stratum> strata_;
};

// Returns groups of tests that mostly fail together, the largest first. `tests` are positions in CodeEvents::tests.
std::vector<std::vector<TestId>> FindClusters(const HistoryIndex& index, const CodeEvents& events,
                                              std::span<const uint32_t> tests, std::span<const Fault> faults);

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_HINTS_H_
