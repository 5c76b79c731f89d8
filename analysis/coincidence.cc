// SPDX-License-Identifier: MIT
#include "analysis/coincidence.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace flaky {
namespace {

constexpr double kSmallestGroup = 200;
constexpr double kNoCause = 1e-4;  // that a test fails for none of the reasons that the judge knows, in all of a group

constexpr int kMostFew = 30;
constexpr double kOneMore = 0.75;  // that one more flaky test has the same cause

// The probabilities of 0 to kMostFew events of a Poisson distribution.
std::array<double, kMostFew + 2> Poisson(double mean) {
  std::array<double, kMostFew + 2> of;
  of[0] = std::exp(-mean);
  for (int k = 1; k <= kMostFew + 1; ++k) of[k] = of[k - 1] * mean / k;
  return of;
}

// The probabilities that a flaky test, which fails, fails together with so many others for one cause.
std::array<double, kMostFew + 1> Together(const CommonCause& cause) {
  std::array<double, kMostFew + 1> of;
  of[0] = 1 - cause.together;
  double weight = cause.together * (1 - kOneMore);
  for (int k = 1; k <= kMostFew; ++k, weight *= kOneMore) of[k] = weight;
  return of;
}

// The density of k hits under "many".
double Many(const CommonCause& cause, double hits, double size) {
  const double least = cause.least * size;
  constexpr double kSmall = 0.8;      // of the causes with mostly small shares
  constexpr double kMeanShare = 0.1;  // of these
  double density = 1 / (size * (1 - cause.least) + 1);
  if (cause.mostly_small) {
    const double mean = kMeanShare * size;
    density = (1 - kSmall) * density + kSmall * std::exp(-std::max(0.0, hits - least) / mean) / mean;
  }
  if (hits >= least) return density;
  return density * std::exp(-(least - hits) * (least - hits) / (2 * std::max(1.0, least)));
}

using Weights = CommonCauseOdds::Weights;

// The probabilities of `others` failures under each hypothesis, for a whole number.
Weights WeightsOf(const CommonCause& cause, double others, double size) {
  const double n = std::max(size, kSmallestGroup);
  const double expected = std::max(cause.stray * size, kNoCause);
  const auto few = Poisson(cause.tests);  // under "few" it hits at least one test
  const double hits_any = cause.few / (1 - few[0]);
  const auto together = Together(cause);
  Weights weights;
  if (others < kMostFew) {
    // The strays fall fast; so the sums go over their number, from none on.
    double stray = std::exp(-expected);
    for (int strays = 0; strays <= static_cast<int>(others); stray *= expected / ++strays) {
      const int k = static_cast<int>(others) - strays;
      weights.none += together[k] * stray;
      weights.few_hit += hits_any * few[k + 1] * stray * (k + 1) / n;
      if (k > 0) weights.few_not += hits_any * few[k] * stray * (n - k) / n;
    }
  } else {
    weights.none = together[kMostFew] * std::pow(kOneMore, others - kMostFew);
  }
  weights.none *= 1 - cause.few - cause.many;
  if (others >= 3) weights.many = cause.many * Many(cause, others, std::max(size, kSmallestGroup / 4));
  return weights;
}

}  // namespace

const CommonCauseOdds::Weights& CommonCauseOdds::Of(double whole, double size) {
  const auto key = static_cast<uint64_t>(whole) << 32 | static_cast<uint64_t>(size);
  const auto [place, fresh] = known_.try_emplace(key);
  if (fresh) place->second = WeightsOf(cause_, whole, size);
  return place->second;
}

// Interpolates between whole numbers.
CommonCauseOdds::Weights CommonCauseOdds::Between(double others, double size) {
  const double whole = std::floor(others);
  const double rest = others - whole;
  const Weights a = Of(whole, size);
  if (rest < 1e-3) return a;
  const Weights b = Of(whole + 1, size);
  const auto between = [rest](double x, double y) {
    return std::exp(std::log(std::max(x, 1e-300)) * (1 - rest) + std::log(std::max(y, 1e-300)) * rest);
  };
  return {between(a.none, b.none), between(a.few_hit, b.few_hit), between(a.few_not, b.few_not),
          between(a.many, b.many)};
}

double CommonCauseOdds::Hits(double hits, double size) {
  const Weights weights = Between(hits, size);
  return weights.few_not + weights.many;
}

double CommonCauseOdds::Hit(double others, double size, double elsewhere) {
  const Weights weights = Between(std::max(0.0, others), size);
  const double share = std::clamp((others + 1) / (size + 2), cause_.least, 0.995);
  const double none = std::max(weights.none, (1 - cause_.few - cause_.many) * elsewhere);
  return (weights.few_hit + weights.many * share) / (none + weights.few_hit + weights.few_not + weights.many);
}

double CommonCauseOdds::Many(double hits, double size, double elsewhere) {
  if (hits < 4) return 0;
  const Weights weights = Between(hits, size);
  const double none = std::max(weights.none, (1 - cause_.few - cause_.many) * elsewhere);
  return weights.many / (none + weights.few_not + weights.many);
}

}  // namespace flaky
