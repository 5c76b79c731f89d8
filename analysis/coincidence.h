// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_COINCIDENCE_H_
#define FLAKY_ANALYSIS_COINCIDENCE_H_

#include <cstdint>
#include <unordered_map>

namespace flaky {

// A common cause that sometimes hits tests of a group: a machine the tests of a part, or a commit those of a code
// version. It hits nothing, or few tests (`tests` in the mean), or many (a share from `least` on: all shares are
// equally probable, or mostly small ones).
struct CommonCause {
  double few = 0;  // probability that it hits few tests
  double tests = 1.6;
  double many = 0;  // probability that it hits many
  double least = 0.02;
  bool mostly_small = false;
  double stray = 0;     // expected number of other failures for each test: flaky tests that are not known yet
  double together = 0;  // probability that a flaky test fails together with others that have the same cause
};

// The odds of one common cause. Numbers of tests are expected ones and need not be whole. They count as if a group had
// at least 200 tests: in a small group some tests fail together because they are flaky together.
class CommonCauseOdds {
 public:
  explicit CommonCauseOdds(const CommonCause& cause) : cause_(cause) {}

  // Returns the probability that the cause hits so many of `size` tests.
  double Hits(double hits, double size);
  // Returns the probability that the cause hits a given test of `size` tests, if `others` of the other tests failed and
  // either this cause hit them, or another one, which does so with the probability `elsewhere`.
  double Hit(double others, double size, double elsewhere);
  // Returns the probability that this cause, and not the other one, hit many tests, if `hits` of `size` failed.
  double Many(double hits, double size, double elsewhere);

  // The probabilities of a number of failures under each hypothesis.
  struct Weights {
    double none = 0;
    double few_hit = 0;  // and the given test is among the hits
    double few_not = 0;
    double many = 0;
  };

 private:
  const Weights& Of(double whole, double size);
  Weights Between(double others, double size);

  CommonCause cause_;
  std::unordered_map<uint64_t, Weights> known_;  // by both numbers
};

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_COINCIDENCE_H_
