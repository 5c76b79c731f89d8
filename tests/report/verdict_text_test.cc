// SPDX-License-Identifier: MIT
#include "report/verdict_text.h"

#include <gtest/gtest.h>

namespace flaky {
namespace {

TEST(VerdictText, Percentages) {
  EXPECT_EQ(PercentText(0), "0 %");
  EXPECT_EQ(PercentText(0.0004), "0.04 %");
  EXPECT_EQ(PercentText(0.0312), "3.1 %");
  EXPECT_EQ(PercentText(0.264), "26 %");
  EXPECT_EQ(PercentText(1), "100 %");
  EXPECT_EQ(IntervalText({.low = 0.004, .median = 0.1, .high = 0.26}), "0.40 to 26 %");
}

TEST(VerdictText, NothingProbableIsCertain) {
  EXPECT_EQ(ProbabilityText(0.99999), "> 99 %");
  EXPECT_EQ(ProbabilityText(1e-9), "< 1 %");
  EXPECT_EQ(ProbabilityText(0.973), "97 %");
}

TEST(VerdictText, FaultsNameTheProbableCauses) {
  EXPECT_EQ((FaultText{.p_code = 0.97, .p_test = 0.02, .p_machine = 0.01}).Words(), "the code (97 %)");
  EXPECT_EQ((FaultText{.p_code = 0.18, .p_test = 0.81, .p_machine = 0.01}).Words(),
            "the test (81 %) or the code (18 %)");
}

TEST(VerdictText, Hints) {
  EXPECT_EQ(HintText({HintKind::kVariant, "asan", 8, 21, 0, 41}), "only in asan: 8 of 21, elsewhere 0 of 41");
  EXPECT_EQ(HintText({HintKind::kHour, "01-03", 5, 9, 1, 60}),
            "mostly between 01:00 and 03:00 UTC: 5 of 9, elsewhere "
            "1 of 60");
  EXPECT_EQ(HintText({HintKind::kPrecedingTest, "A.B", 4, 0, 1, 0}),
            "mostly after A.B: 4 of 5 failures in shuffled "
            "runs");
  EXPECT_EQ(HintText({HintKind::kSignal, "", 4, 0, 0, 0}), "a signal ended its process in each of its failures");
  EXPECT_EQ(HintText({HintKind::kShuffled, "yes", 4, 10, 0, 90}),
            "only when tests are shuffled: 4 of 10, elsewhere 0 of 90");
}

TEST(VerdictText, Names) {
  EXPECT_EQ(PhraseFor(Verdict::kNewlyFlaky), "newly flaky");
  EXPECT_EQ(NameWithProgram({.program = "net_test", .file = "", .name = "A.B"}), "A.B [net_test]");
  EXPECT_EQ(NameWithProgram({.program = "", .file = "a.cc", .name = "A.B"}), "A.B");
}

}  // namespace
}  // namespace flaky
