// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_POSTERIOR_H_
#define FLAKY_ANALYSIS_POSTERIOR_H_

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/code_chain.h"
#include "analysis/code_events.h"
#include "analysis/executions.h"
#include "analysis/flaky_chain.h"
#include "analysis/history_index.h"
#include "analysis/model.h"

namespace flaky {

// Who was at fault for a failure; the machine has the rest. `known` is the probability that the test was flaky then, by
// all evidence but the failures on the same code at that time.
struct Fault {
  float code = 0;
  float test = 0;
  float known = 0;
  // Returns how much of the failure is not explained by a test that is known as flaky from elsewhere.
  float Unexplained() const { return 1 - test * known; }
  float machine() const { return std::max(0.0F, 1 - code - test); }
};

// Computes the posterior of one test after the other: the chain of the test's states and those of its code exchange
// messages until both agree. The memory is used again for the next test.
class TestPosterior {
 public:
  TestPosterior(const HistoryIndex& index, const Model& model, const TimeBins& bins)
      : index_(index), model_(model), bins_(bins), step_of_bin_(bins.count, kNoIndex) {}

  // `executions` has a count for each bin. `background` and `faults` are those of all failures of the history; the
  // faults of this test's failures are written. `outages` has the probability of an outage for each part: a failure in
  // an outage that is all but certain proves nothing and is left out. `share` is the probability that a test is flaky
  // at first sight. The messages are sent until they settle, at most for a number of rounds.
  void Run(const TestEvents& test, std::span<const CodeEvent> events, std::span<const uint32_t> executions,
           double share, std::span<const float> background, std::span<const float> outages, std::span<Fault> faults,
           int rounds);

  // Of the last test, for each step in which something was seen of it:
  const std::vector<FlakyChain::Step>& steps() const { return steps_; }
  const std::vector<PerState>& flaky() const { return chain_.posterior; }
  // Returns the probability that the code of an event is broken, in any variant.
  double Broken(size_t event) const {
    return number_[event] == kNoIndex ? 0 : 1 - code_posterior_[number_[event]][kGood];
  }
  // Returns the probability that an event's code is broken and its predecessor on the branch was not.
  double NewlyBroken(size_t event) const { return number_[event] == kNoIndex ? 0 : newly_broken_[number_[event]]; }
  // Returns the probability that the last code of the default branch is broken.
  double BrokenNow() const { return broken_now_; }
  uint32_t StepOf(uint32_t bin) const { return step_of_bin_[bin]; }

 private:
  // The failures of one code version in one bin.
  struct Cell {
    uint32_t event = 0;
    uint32_t step = 0;
    uint32_t first_product = 0;
    uint32_t products = 0;
    uint32_t first_failure = 0;
    uint32_t end_failure = 0;
    PerState message;  // to the test's state
  };
  // The probability of a cell's failures in one variant if the code is good: q times e^scale.
  struct Product {
    uint16_t variant = 0;
    double scale = 0;
    PerState q;
  };

  void ChooseEvents(const TestEvents& test, std::span<const CodeEvent> events, std::span<const float> outages);
  bool IsLeftOut(uint32_t failure, std::span<const float> outages) const;
  void MakeSteps(std::span<const CodeEvent> events, std::span<const uint32_t> executions,
                 std::span<const float> outages);
  void MakeCells(std::span<const float> background, std::span<const float> outages);
  void RunTestChain(double share);
  void RunCodeChains();
  void RunBranch(size_t begin, size_t end);
  void SendMessages();
  void WriteFaults(std::span<const float> background, std::span<const float> outages, std::span<Fault> faults) const;
  PerState Without(const Cell& cell) const;  // what all but this cell says of the test's state
  // The probability of a cell's failures for each state of the test, if the code is in a state. Returns its scale.
  double Uncovered(const Cell& cell, size_t state, PerState& q) const;
  // Returns the first state that covers the same failures of the cell; kBrokenInAll if that is all of them.
  size_t SameAs(const Cell& cell, size_t state) const;
  PerCodeState BaseState(const CodeEvent& event) const;

  const HistoryIndex& index_;
  const Model& model_;
  const TimeBins& bins_;
  std::vector<CodeEvent> events_;  // of this test, without those that are left out
  std::vector<uint32_t> number_;   // in events_, of each event of the test
  VariantMask passed_after_ = 0;   // see TestEvents
  bool codes_after_ = false;
  std::vector<uint32_t> step_of_bin_;
  std::vector<FlakyChain::Step> steps_;
  std::vector<PerState> passes_;
  std::vector<int64_t> passes_by_bin_;
  std::vector<char> seen_in_bin_;
  std::vector<int64_t> passes_of_step_;
  std::vector<Cell> cells_;
  std::vector<Product> products_;
  std::vector<uint32_t> first_cell_;                        // of each event, and the end
  std::vector<std::array<double, kCodeStates>> cell_logs_;  // of what a cell says of the code
  std::vector<PerCodeState> event_logs_;                    // of all that was seen on an event's code
  std::vector<PerCodeState> code_prior_;
  std::vector<PerCodeState> code_log_prior_;
  std::vector<PerCodeState> code_posterior_;
  std::vector<double> healthy_;  // of each step, a round before
  std::vector<double> newly_broken_;
  FailingVariants variants_;
  FlakyChain chain_;
  CodeChain code_chain_{model_, variants_};
  std::vector<CodeChain::Step> branch_steps_;
  double broken_now_ = 0;
};

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_POSTERIOR_H_
