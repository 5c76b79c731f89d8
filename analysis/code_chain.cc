// SPDX-License-Identifier: MIT
#include "analysis/code_chain.h"

#include <algorithm>

namespace flaky {
namespace {

constexpr double kUnexplainedPass = 1e-3;  // of a test on code that is broken for it

void Scale(PerCodeState& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  if (!(sum > 0)) {
    values.fill(0);
    values[kGood] = 1;
    return;
  }
  const double scale = 1 / sum;
  for (double& value : values) value *= scale;
}

}  // namespace

size_t FailingVariants::StateOf(uint16_t variant) const {
  const auto found = std::find(variants.begin(), variants.end(), variant);
  return found == variants.end() ? kCodeStates : kBrokenInFirst + static_cast<size_t>(found - variants.begin());
}

bool FailingVariants::Covers(size_t state, uint16_t variant) const {
  if (state < kBrokenInFirst) return state == kBrokenInAll;
  return variants[state - kBrokenInFirst] == variant;
}

bool FailingVariants::Excludes(VariantMask passed, size_t state) const {
  if (state == kGood) return false;
  if (state == kBrokenInAll) return passed != 0;
  return (passed & MaskOf(variants[state - kBrokenInFirst])) != 0;
}

// From a code to the next code on which the test failed. A step consists of: being mended or not, passes in between,
// and being broken by the new code.
PerCodeState CodeChain::Advance(const PerCodeState& from, const Step& step) const {
  const size_t states = variants_.states();
  PerCodeState between{};
  between[kGood] = from[kGood];
  for (size_t s = 1; s < states; ++s) {
    const double stays = from[s] * model_.stays_broken;
    between[kGood] += from[s] - stays;
    between[s] = stays * (variants_.Excludes(step.gap, s) ? kUnexplainedPass : 1);
  }
  PerCodeState to{};
  double enters = 0;
  for (size_t s = 1; s < states; ++s) enters += step.enters[s];
  const double breaks = step.break_prior;
  to[kGood] = between[kGood] * (1 - breaks) * std::max(0.0, 1 - enters);
  const double one =
      variants_.variants.empty() ? 0 : model_.one_variant / static_cast<double>(variants_.variants.size());
  const double all = 1 - one * static_cast<double>(variants_.variants.size());
  for (size_t s = 1; s < states; ++s) {
    to[s] = between[s] + between[kGood] * (breaks * (s == kBrokenInAll ? all : one) + (1 - breaks) * step.enters[s]);
  }
  return to;
}

// The transpose of Advance.
PerCodeState CodeChain::Retreat(const PerCodeState& back, const Step& step) const {
  const size_t states = variants_.states();
  double enters = 0;
  for (size_t s = 1; s < states; ++s) enters += step.enters[s];
  const double breaks = step.break_prior;
  const double one =
      variants_.variants.empty() ? 0 : model_.one_variant / static_cast<double>(variants_.variants.size());
  const double all = 1 - one * static_cast<double>(variants_.variants.size());
  double good = back[kGood] * (1 - breaks) * std::max(0.0, 1 - enters);
  for (size_t s = 1; s < states; ++s) {
    good += back[s] * (breaks * (s == kBrokenInAll ? all : one) + (1 - breaks) * step.enters[s]);
  }
  PerCodeState from{};
  from[kGood] = good;
  for (size_t s = 1; s < states; ++s) {
    const double kept = model_.stays_broken * (variants_.Excludes(step.gap, s) ? kUnexplainedPass : 1);
    from[s] = (1 - model_.stays_broken) * good + kept * back[s];
  }
  return from;
}

void CodeChain::Run(const PerCodeState& before, const std::vector<Step>& steps) {
  prior.resize(steps.size());
  posterior.resize(steps.size());
  PerCodeState state = before;
  for (size_t t = 0; t < steps.size(); ++t) {
    state = Advance(state, steps[t]);
    Scale(state);
    prior[t] = state;
    for (size_t s = 0; s < kCodeStates; ++s) state[s] *= steps[t].seen[s];
    Scale(state);
  }
  PerCodeState back;
  back.fill(1);
  for (size_t t = steps.size(); t-- > 0;) {
    for (size_t s = 0; s < kCodeStates; ++s) {
      prior[t][s] *= back[s];
      posterior[t][s] = prior[t][s] * steps[t].seen[s];
    }
    Scale(prior[t]);
    Scale(posterior[t]);
    for (size_t s = 0; s < kCodeStates; ++s) back[s] *= steps[t].seen[s];
    back = Retreat(back, steps[t]);
    Scale(back);
  }
}

PerCodeState CodeChain::After(const PerCodeState& last, VariantMask passed, bool later_codes) const {
  if (!later_codes && passed == 0) return last;
  PerCodeState after{};
  after[kGood] = last[kGood];
  for (size_t s = 1; s < variants_.states(); ++s) {
    const double stays = last[s] * model_.stays_broken;
    after[kGood] += last[s] - stays;
    after[s] = stays * (variants_.Excludes(passed, s) ? kUnexplainedPass : 1);
  }
  Scale(after);
  return after;
}

}  // namespace flaky
