// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_DECIDE_H_
#define FLAKY_ANALYSIS_DECIDE_H_

#include <span>
#include <vector>

#include "analysis/code_events.h"
#include "analysis/common_causes.h"
#include "analysis/executions.h"
#include "analysis/history_index.h"
#include "analysis/posterior.h"
#include "analysis/verdict.h"

namespace flaky {

// Returns the rate of a flaky test with its 95 % interval, from the posterior of its state. Attempts of one test
// cluster, so n attempts count as n / clustering.
FlakeRate RateFrom(const PerState& posterior, double clustering);

// Returns how many more passes bring P(flaky) down to `until`. `mended`: the probability that a flaky test is mended from
// one execution to the next.
int64_t PassesUntil(const PerState& posterior, double until, double mended);

// Reads verdicts from posteriors.
class Decider {
 public:
  Decider(const HistoryIndex& index, const Model& model, const TimeBins& bins, const CodeEvents& events,
          const CommonCauses& causes, int64_t at)
      : index_(index), model_(model), bins_(bins), events_(events), causes_(causes), at_(at) {}

  // Decides about the test that `posterior` has just computed.
  TestVerdict Decide(const TestEvents& test, const TestPosterior& posterior, std::span<const uint32_t> executions,
                     std::span<const Fault> faults) const;
  // Returns the code versions on which a test failed. `p_flaky` is that of each event.
  std::vector<CodeEvidence> Explain(const TestEvents& test, std::span<const Fault> faults,
                                    std::span<const float> p_flaky) const;
  // Adds what needs all tests: cost, clusters and outages. `verdicts` are in the order of the tests of the events.
  Judgement Finish(std::vector<TestVerdict> verdicts, std::span<const Fault> faults) const;

 private:
  void FindSince(const TestEvents& test, const TestPosterior& posterior, std::span<const Fault> faults,
                 TestVerdict& verdict) const;
  // Returns the probability that a flaky test is mended from one execution to the next, at the pace of these. Of a
  // history of less than a day, it is that of a day.
  double MendedPerPass(std::span<const uint32_t> executions) const;
  void AddReasons(const TestEvents& test, std::span<const Fault> faults, TestVerdict& verdict) const;
  void AddCosts(std::span<TestVerdict> verdicts) const;
  void AddHints(std::span<TestVerdict> verdicts, std::span<const Fault> faults) const;
  std::vector<std::vector<TestId>> AddClusters(std::span<TestVerdict> verdicts, std::span<const Fault> faults) const;

  const HistoryIndex& index_;
  const Model& model_;
  const TimeBins& bins_;
  const CodeEvents& events_;
  const CommonCauses& causes_;
  int64_t at_;
};

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_DECIDE_H_
