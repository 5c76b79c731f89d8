// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_FLAKY_CHAIN_H_
#define FLAKY_ANALYSIS_FLAKY_CHAIN_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "analysis/model.h"

namespace flaky {

// The states of a test: healthy, or flaky with one of 24 rates.
inline constexpr size_t kRates = 24;
inline constexpr size_t kNotFlaky = kRates;  // the index of that state; the others are flaky
inline constexpr size_t kTestStates = kRates + 1;

// One number for each state. Most are known only up to a factor.
using PerState = std::array<double, kTestStates>;

// Rates from 0.1 % to 95 %, equally far apart in their logarithm, and their prior: log-uniform, with less below 0.25 %.
struct RateGrid {
  std::array<double, kRates> rate;
  std::array<double, kRates> prior;  // sums to 1
  RateGrid();
};
const RateGrid& Rates();

// Divides by the greatest value, and returns its logarithm.
double Normalize(PerState& values);

// The chain of a test's states over the bins in which something was seen of it.
class FlakyChain {
 public:
  struct Step {
    uint32_t bin = 0;
    double days = 0;  // since the step before
    PerState seen;    // probability of what was seen, for each state
  };
  // Computes the posteriors. `share` is the probability that the test is flaky when it is first seen.
  void Run(const Model& model, double share, std::vector<Step>& steps);

  // The posterior of each step; sums to 1.
  std::vector<PerState> posterior;

 private:
  std::vector<PerState> forward_;
};

inline double Flaky(const PerState& posterior) { return 1 - posterior[kNotFlaky]; }

// Multiplies by the probability of a number of passes on good code.
void SeePasses(PerState& seen, uint32_t passes);

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_FLAKY_CHAIN_H_
