// SPDX-License-Identifier: MIT
#ifndef FLAKY_REPORT_VERDICT_TEXT_H_
#define FLAKY_REPORT_VERDICT_TEXT_H_

#include <cstdint>
#include <string>

#include "analysis/verdict.h"

// Verdicts in words. The texts may contain names from the history, which the caller must escape.
namespace flaky {

// Returns the word for people: "newly flaky".
std::string PhraseFor(Verdict verdict);

// Returns "26 %", "3.1 %" or "0.04 %".
std::string PercentText(double share);

// Returns "97 %", "> 99 %" or "< 1 %": nothing that is only probable is said to be certain.
std::string ProbabilityText(double probability);

// Returns "17 to 38 %".
std::string IntervalText(const FlakeRate& rate);

// Returns "16 of 62".
std::string OfText(int64_t count, int64_t all);

// Returns "only in asan: 8 of 21, elsewhere 0 of 41".
std::string HintText(const Hint& hint);

// Returns the test's name, followed by its program in brackets if that is known: "Queue.Pops [net_test]".
std::string NameWithProgram(const TestIdentity& test);

// Who was at fault for a failure, and what to call it.
struct FaultText {
  double p_code = 0;
  double p_test = 0;
  double p_machine = 0;

  // Returns "the code (97 %)", or the two most probable causes if none has 95 %: "the test (81 %) or the code (18 %)".
  std::string Words() const;
};

}  // namespace flaky

#endif  // FLAKY_REPORT_VERDICT_TEXT_H_
