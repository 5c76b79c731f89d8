// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_COINCIDENCE_H_
#define FLAKY_ANALYSIS_COINCIDENCE_H_

#include <cstdint>

namespace flaky {

// A common cause that sometimes hits tests of a group: a machine the tests of a part, or a commit those of a code
// version. It hits nothing, or few tests (`tests` in the mean), or many (any share from `least` to 1 is equally
// probable).
struct CommonCause {
  double few = 0;  // probability that it hits few tests
  double tests = 1.6;
  double many = 0;  // probability that it hits many
  double least = 0.02;
  double stray = 0;     // expected number of other failures for each test: flaky tests that are not known yet
  double together = 0;  // probability that a flaky test fails together with others that have the same cause
};

// Returns the probability that the cause hits this number of tests, which need not be whole. The number counts as if a
// group had at least 200 tests: in a small group some tests fail together because they are flaky together.
double ProbabilityOfHits(const CommonCause& cause, double hits, double size);

// Returns the probability that the cause hits a given test of `size` tests, if `others` of the other tests failed and
// either this cause hit them, or another one, which does so with the probability `elsewhere`.
double ProbabilityOfHit(const CommonCause& cause, double others, double size, double elsewhere);

// Returns the probability that this cause, and not the other one, hit many tests, if `hits` of `size` failed.
double ProbabilityOfMany(const CommonCause& cause, double hits, double size, double elsewhere);

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_COINCIDENCE_H_
