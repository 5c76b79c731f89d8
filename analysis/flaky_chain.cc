// SPDX-License-Identifier: MIT
#include "analysis/flaky_chain.h"

#include <algorithm>
#include <cmath>

namespace flaky {
namespace {

constexpr double kLeastRate = 0.001;
constexpr double kMostRate = 0.95;
constexpr double kRareRate = 0.0025;
constexpr double kRareWeight = 0.4;
constexpr uint32_t kTablePasses = 256;

// Powers of 1 - p, so that no logarithm is needed for a bin.
struct PassTable {
  std::array<std::array<double, kRates>, kTablePasses> power;
  PassTable() {
    power[0].fill(1);
    for (size_t n = 1; n < kTablePasses; ++n) {
      for (size_t i = 0; i < kRates; ++i) power[n][i] = power[n - 1][i] * (1 - Rates().rate[i]);
    }
  }
};

}  // namespace

RateGrid::RateGrid() : rate(), prior() {
  double sum = 0;
  for (size_t i = 0; i < kRates; ++i) {
    rate[i] = kLeastRate * std::pow(kMostRate / kLeastRate, static_cast<double>(i) / (kRates - 1));
    prior[i] = rate[i] < kRareRate ? kRareWeight : 1;
    sum += prior[i];
  }
  for (double& weight : prior) weight /= sum;
}

const RateGrid& Rates() {
  static const RateGrid grid;
  return grid;
}

double Normalize(PerState& values) {
  const double most = *std::max_element(values.begin(), values.end());
  if (!(most > 0)) {
    values.fill(1);
    return 0;
  }
  const double scale = 1 / most;
  for (double& value : values) value *= scale;
  return std::log(most);
}

void SeePasses(PerState& seen, uint32_t passes) {
  static const PassTable table;
  for (; passes >= kTablePasses; passes -= kTablePasses - 1) {
    for (size_t i = 0; i < kRates; ++i) seen[i] *= table.power[kTablePasses - 1][i];
    if (passes > 64 * kTablePasses) {  // no rate of the grid survives so many
      for (size_t i = 0; i < kRates; ++i) {
        seen[i] *= std::exp(static_cast<double>(passes) * std::log1p(-Rates().rate[i]));
      }
      return;
    }
  }
  for (size_t i = 0; i < kRates; ++i) seen[i] *= table.power[passes][i];
}

namespace {

// Keeps values away from underflow; their factor does not matter.
void Rescale(PerState& values, double sum) {
  if (sum > 1e-100 || !(sum > 0)) return;
  const double scale = 1 / sum;
  for (double& value : values) value *= scale;
}

// The probabilities to change between two steps. Most steps are equally far apart.
struct Change {
  double days = 0;
  double turns = 0;
  double mends = 0;
  void Set(const Model& model, double to) {
    if (to == days) return;
    days = to;
    turns = 1 - std::exp(-model.turns_flaky * days);
    mends = 1 - std::exp(-model.is_mended * days);
  }
};

}  // namespace

void FlakyChain::Run(const Model& model, double share, std::vector<Step>& steps) {
  const auto& prior = Rates().prior;
  forward_.resize(steps.size());
  posterior.resize(steps.size());
  PerState state;
  for (size_t i = 0; i < kRates; ++i) state[i] = share * prior[i];
  state[kNotFlaky] = 1 - share;
  Change change;
  for (size_t t = 0; t < steps.size(); ++t) {
    if (t > 0) {
      change.Set(model, steps[t].days);
      double flaky = 0;
      for (size_t i = 0; i < kRates; ++i) flaky += state[i];
      const double healthy = state[kNotFlaky];
      const double turned = healthy * change.turns;
      for (size_t i = 0; i < kRates; ++i) state[i] = state[i] * (1 - change.mends) + turned * prior[i];
      state[kNotFlaky] = healthy * (1 - change.turns) + flaky * change.mends;
    }
    forward_[t] = state;  // before this step's observations
    double sum = 0;
    for (size_t i = 0; i < kTestStates; ++i) sum += state[i] *= steps[t].seen[i];
    Rescale(state, sum);
  }
  PerState back;
  back.fill(1);
  for (size_t t = steps.size(); t-- > 0;) {
    PerState& now = posterior[t];
    double sum = 0;
    for (size_t i = 0; i < kTestStates; ++i) {
      back[i] *= steps[t].seen[i];
      now[i] = forward_[t][i] * back[i];
      sum += now[i];
    }
    if (sum > 0) {
      const double scale = 1 / sum;
      for (double& value : now) value *= scale;
    }
    if (t == 0) break;
    change.Set(model, steps[t].days);
    double turned = 0;
    for (size_t i = 0; i < kRates; ++i) turned += prior[i] * back[i];
    const double healthy = back[kNotFlaky];
    for (size_t i = 0; i < kRates; ++i) back[i] = back[i] * (1 - change.mends) + healthy * change.mends;
    back[kNotFlaky] = healthy * (1 - change.turns) + turned * change.turns;
    Rescale(back, healthy + turned);
  }
}

}  // namespace flaky
