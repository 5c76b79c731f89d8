// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_MODEL_H_
#define FLAKY_ANALYSIS_MODEL_H_

#include <span>
#include <string_view>

namespace flaky {

// The model by which the judge reads a history.
//
// Over time a test is *healthy*, or *flaky* with an unknown rate p per execution. Each version of the code is *good* or
// *broken* for that test. The machine may fail any test. An execution passes or fails:
//
//   code    test      P(fails)
//   broken  any       1, in all variants or in one
//   good    flaky     p + b - p b
//   good    healthy   b
//
// b is small and belongs to the part (one process on one machine): it grows with the number of other tests of that part
// which fail without being known as flaky. In the same way, the probability that a new version of the code breaks a
// test grows with the number of other tests that fail on this code. So an outage or a bad commit, which hits many tests
// at once, explains its failures better than many tests that happen to turn flaky on the same day, and no limit is
// needed from which a run "is" an outage. Both counts leave out the failures that flaky tests explain, and those are
// known only after the counts; so the judge repeats both steps.
//
// Time is cut into short bins. The state of the test is a Markov chain over bins, and the state of the code is one over
// the versions of each branch in order of time. A branch begins as the default branch was. Both chains exchange
// messages (belief propagation): the one says how probable a failure is if the code is good, the other how probable it
// is that the code is good. All verdicts are read from the two posteriors. Only tests that failed are computed.
//
// Passes before and after a failure, on any code, lower the rate. A failure of a test that also passed on the same code
// cannot be the code's fault. Several failed attempts in one part have one cause and count once, unless the test passed
// at least twice there. The code of a dirty run is its own.
//
// The defaults come from simulated histories (tests/judge/simulate.py) and, for `clustering`, from 428,000 recorded
// outcomes of 107 tests (Lam et al., ISSRE 2020): the variance of failures per 100 attempts is 1.3 times the binomial
// one. docs/reference/judgement.md has the measurements.
struct Model {
  // What a test is.
  double share_flaky = 0.05;
  double turns_flaky = 0.0008;
  double is_mended = 0.015;
  double clustering = 1.3;
  double together = 0.35;

  // What machines do.
  double trouble_share = 0.02;
  double trouble_tests = 1.6;
  double outage_share = 0.015;
  double outage_least = 0.02;
  double killed = 0.05;

  // What commits do.
  double break_share = 0.12;
  double break_tests = 1.6;
  double break_suite = 0.25;
  double break_crowd = 0.07;
  double stays_broken = 0.6;
  double one_variant = 0.25;
  double dirty_broken = 0.15;
  double base_moves = 0.3;

  // When a verdict is given.
  double flaky_at = 0.5;
  double flaky_until = 0.15;
  double suspect_at = 0.25;
  double broken_at = 0.8;
  double newly_days = 7;
  double newly_until = 0.5;
  double fixed_days = 14;
  double new_below = 10;
};

struct ModelConstant {
  std::string_view name;  // as in `.flaky.toml`
  double Model::*member;
  double least;  // both limits are valid
  double most;
  std::string_view meaning;
};

// Returns all constants in the order of the struct. Their defaults are those of a Model.
std::span<const ModelConstant> ModelConstants();

// Sets a constant. Throws std::invalid_argument if there is no such constant or the value is outside its limits.
void SetConstant(Model& model, std::string_view name, double value);

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_MODEL_H_
