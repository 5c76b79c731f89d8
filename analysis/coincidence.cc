// SPDX-License-Identifier: MIT
#include "analysis/coincidence.h"

#include <algorithm>
#include <cmath>

namespace flaky {
namespace {

constexpr double kSmallestGroup = 200;
constexpr double kNoCause = 1e-4;  // that a test fails for none of the reasons that the judge knows, in all of a group

// The probability of exactly k hits under "few": a Poisson distribution without zero.
double Few(const CommonCause& cause, int hits) {
  const double mean = cause.tests;
  return std::exp(hits * std::log(mean) - mean - std::lgamma(hits + 1.0)) / (1 - std::exp(-mean));
}

// The probability that a flaky test, which fails, fails together with so many others for one cause.
double Together(const CommonCause& cause, int others) {
  constexpr double kMore = 0.75;
  if (others <= 0) return 1 - cause.together;
  return cause.together * (1 - kMore) * std::pow(kMore, others - 1);
}

// The density of k hits under "many".
double Many(const CommonCause& cause, double hits, double size) {
  const double least = cause.least * size;
  const double density = 1 / (size * (1 - cause.least) + 1);
  if (hits >= least) return density;
  return density * std::exp(-(least - hits) * (least - hits) / (2 * std::max(1.0, least)));
}

// The probability of a whole number of failures without a common cause.
double Stray(double failures, double expected) {
  if (failures < 0) return 0;
  return std::exp(failures * std::log(expected) - expected - std::lgamma(failures + 1));
}

struct Weights {
  double none = 0;
  double few_hit = 0;  // and the given test is among the hits
  double few_not = 0;
  double many = 0;
};

// The probabilities of `others` failures under each hypothesis, for a whole number.
Weights WeightsOf(const CommonCause& cause, double others, double size) {
  const double n = std::max(size, kSmallestGroup);
  const double expected = std::max(cause.stray * size, kNoCause);
  Weights weights;
  const int most = static_cast<int>(std::min(others + 1, 30.0));
  for (int k = 0; k < most; ++k) weights.none += Together(cause, k) * Stray(others - k, expected);
  weights.none *= 1 - cause.few - cause.many;
  for (int k = 1; k <= most; ++k) {
    const double few = cause.few * Few(cause, k);
    weights.few_hit += few * Stray(others + 1 - k, expected) * k / n;
    weights.few_not += few * Stray(others - k, expected) * (n - k) / n;
  }
  if (others >= 3) weights.many = cause.many * Many(cause, others, std::max(size, kSmallestGroup / 4));
  return weights;
}

// Interpolates between whole numbers.
Weights WeightsBetween(const CommonCause& cause, double others, double size) {
  const double whole = std::floor(others);
  const double rest = others - whole;
  const Weights a = WeightsOf(cause, whole, size);
  if (rest < 1e-6) return a;
  const Weights b = WeightsOf(cause, whole + 1, size);
  const auto between = [rest](double x, double y) {
    return std::exp(std::log(std::max(x, 1e-300)) * (1 - rest) + std::log(std::max(y, 1e-300)) * rest);
  };
  return {between(a.none, b.none), between(a.few_hit, b.few_hit), between(a.few_not, b.few_not),
          between(a.many, b.many)};
}

}  // namespace

double ProbabilityOfHits(const CommonCause& cause, double hits, double size) {
  const Weights weights = WeightsBetween(cause, hits, size);
  return weights.few_not + weights.many;
}

double ProbabilityOfHit(const CommonCause& cause, double others, double size, double elsewhere) {
  const Weights weights = WeightsBetween(cause, std::max(0.0, others), size);
  const double share = std::clamp((others + 1) / (size + 2), cause.least, 0.995);
  const double none = std::max(weights.none, (1 - cause.few - cause.many) * elsewhere);
  return (weights.few_hit + weights.many * share) / (none + weights.few_hit + weights.few_not + weights.many);
}

double ProbabilityOfMany(const CommonCause& cause, double hits, double size, double elsewhere) {
  if (hits < 4) return 0;
  const Weights weights = WeightsBetween(cause, hits, size);
  const double none = std::max(weights.none, (1 - cause.few - cause.many) * elsewhere);
  return weights.many / (none + weights.few_not + weights.many);
}

}  // namespace flaky
