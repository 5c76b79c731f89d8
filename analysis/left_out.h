// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_LEFT_OUT_H_
#define FLAKY_ANALYSIS_LEFT_OUT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "history/run.h"

// The runs that a verdict leaves out. They are counted and named, because a verdict on nothing must not look like one.
namespace flaky {

enum class LeftOutReason {
  kManyFailed,   // too many failed tests: the cause is the machine or the whole change, not single tests
  kInterrupted,  // from outside: Ctrl-C, a cancelled job
  kEndedEarly,   // for an unknown reason
  kNoEnd,        // still running, or its process died
  kNoCount,      // the number of its failed tests is not known
};

// Returns the name of the reason in JSON: "many_failed_tests".
std::string_view NameOf(LeftOutReason reason);

// Returns why the npm packages' rule (analysis/new_patterns.h) leaves a run out, or nullopt if the run counts.
// `interrupted`: an interruption is among its early ends.
std::optional<LeftOutReason> WhyLeftOut(const Account& account, bool interrupted);

// Counts the runs that a verdict has looked at.
struct RunTally {
  int64_t runs = 0;
  std::map<LeftOutReason, int64_t> left_out;

  void Add(std::optional<LeftOutReason> why);
  int64_t LeftOut() const;
  // Returns true if no run is left to judge.
  bool IsNothing() const { return LeftOut() == runs; }
  // Returns "6 of 40 runs left out: 4 with 10 or more failed tests, 2 interrupted"; empty if none was left out.
  std::string Phrase() const;
};

// Returns true if this is not the failure of a test, but of a program between its tests, or of the command of a
// `flaky run`. Such a failure has the program's name instead of a test's, and the same name in brackets as its file.
bool IsOutsideTests(std::string_view test_file, std::string_view test_name);

// Returns true in the same cases and if a test suite failed, in its set-up for example.
bool IsOutsideTests(const Failure& failure);

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_LEFT_OUT_H_
