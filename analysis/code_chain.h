// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_CODE_CHAIN_H_
#define FLAKY_ANALYSIS_CODE_CHAIN_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "analysis/code_events.h"
#include "analysis/model.h"

namespace flaky {

// The states of a code version for one test: good, broken in all variants, or broken in one of up to six variants in
// which the test failed.
inline constexpr size_t kMostVariants = 6;
inline constexpr size_t kGood = 0;
inline constexpr size_t kBrokenInAll = 1;
inline constexpr size_t kBrokenInFirst = 2;
inline constexpr size_t kCodeStates = kBrokenInFirst + kMostVariants;
using PerCodeState = std::array<double, kCodeStates>;

// The variants of one test, most of which it failed in.
struct FailingVariants {
  std::vector<uint16_t> variants;  // at most kMostVariants
  size_t states() const { return kBrokenInFirst + variants.size(); }
  // Returns the state in which code is broken in this variant only; kCodeStates without one.
  size_t StateOf(uint16_t variant) const;
  // Returns true if code in this state fails every execution of this variant.
  bool Covers(size_t state, uint16_t variant) const;
  // Returns true if a pass in one of these variants excludes the state.
  bool Excludes(VariantMask passed, size_t state) const;
};

// The chain of states over the code versions of one branch on which a test failed, in order of time.
class CodeChain {
 public:
  struct Step {
    VariantMask gap = 0;  // passes on codes of the branch since the step before
    double break_prior = 0;
    PerCodeState enters{};  // that the state is taken over from another branch at this code
    PerCodeState seen{};    // probability of what was seen on the code, for each state
  };
  CodeChain(const Model& model, const FailingVariants& variants) : model_(model), variants_(variants) {}

  // Computes for each step `prior`, what the other steps say of it, and `posterior`. Both sum to 1. `before` is the
  // state of the code from which the branch began.
  void Run(const PerCodeState& before, const std::vector<Step>& steps);
  // Returns the state after passes on later codes, or at the next code without one.
  PerCodeState After(const PerCodeState& last, VariantMask passed, bool later_codes) const;

  std::vector<PerCodeState> prior;
  std::vector<PerCodeState> posterior;

 private:
  PerCodeState Advance(const PerCodeState& from, const Step& step) const;
  PerCodeState Retreat(const PerCodeState& back, const Step& step) const;

  const Model& model_;
  const FailingVariants& variants_;
};

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_CODE_CHAIN_H_
