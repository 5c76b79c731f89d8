// SPDX-License-Identifier: MIT
#include "history/part_tests.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "history/roster.h"
#include "history/text.h"

namespace flaky {
namespace {

PartTest Ran(int64_t executed, int64_t skipped, std::optional<int64_t> duration_us = std::nullopt) {
  return {{executed, skipped}, duration_us};
}

TEST(PartTests, RoundTrip) {
  const PartTests tests = {
      {"one", {{"A.One", Ran(1, 0, 0)}, {"A.Two", Ran(3, 1, 11)}, {"B.One", Ran(0, 1, 5)}}},
      {"two", {{"A.One", Ran(1, 0)}, {"C.One", Ran(0, 2, 22)}}},
  };
  Part part;
  const auto rosters = SetPartTests(part, tests, {{"two", {"A.One", "A.Two", "D.One"}}});
  EXPECT_EQ(part.roster_id, rosters.front()->roster_id);
  EXPECT_EQ(part.executions, R"({"1":[3,1],"4":[0,2]})");
  EXPECT_EQ(part.durations->size(), 5u);
  EXPECT_EQ(TestsOf(part, rosters), tests);
}

TEST(PartTests, NeedOnlyARosterIfEachTestWasExecutedOnce) {
  Part part;
  const auto rosters = SetPartTests(part, {{"", {{"A.One", Ran(1, 0)}, {"A.Two", Ran(0, 1)}}}});
  EXPECT_FALSE(part.executions);
  EXPECT_FALSE(part.durations);
  EXPECT_EQ(TestsOf(part, rosters).at("").at("A.Two"), Ran(0, 1));
}

TEST(PartTests, OfOtherSelectionsShareTheirLists) {
  std::vector<std::string> names;
  for (int test = 1000; test < 6000; ++test) {
    names.push_back("Suite" + std::to_string(test / 20 + 100) + ".Test" + std::to_string(test));
  }
  const auto make = [&](size_t step) {
    ProgramTests tests;
    for (size_t at = 0; at < names.size(); at += step) tests[names[at]] = Ran(1, 0);
    Part part;
    return SetPartTests(part, {{"program", tests}}, {{"program", names}});
  };
  const auto third = make(3), half = make(2);
  EXPECT_NE(third.front()->roster_id, half.front()->roster_id);
  ASSERT_EQ(third.size(), half.size());
  EXPECT_GT(third.size(), 3u);
  for (size_t at = 1; at < third.size(); ++at) EXPECT_EQ(*third[at], *half[at]);
  EXPECT_LT(half.front()->tests.size(), names.size() + 20 * 60);
}

TEST(Durations, AreAccurateToTenPercent) {
  for (int64_t us = 0; us < 40'000'000'000; us += 1 + us / 50) {
    const std::string text = *DurationsText({us});
    EXPECT_TRUE(IsStorable(text));
    EXPECT_EQ(text.size(), us < 139'000 ? 1u : 2u) << us;
    const int64_t read = ParseDurations(text).at(0).value();
    EXPECT_LE(std::abs(read - us) * 10, us) << us;
    EXPECT_EQ(DurationsText({read}), text) << us;
  }
}

TEST(Durations, CanBeUnknown) {
  EXPECT_EQ(DurationsText({std::nullopt, 3}), "~$");
  EXPECT_EQ(ParseDurations("~$").at(0), std::nullopt);
  EXPECT_EQ(DurationsText({std::nullopt}), std::nullopt);
  EXPECT_EQ(DurationsText({}), std::nullopt);
}

TEST(Durations, OfAnyLengthHaveAText) {
  EXPECT_EQ(DurationsText({-5}), "!");
  const std::string longest = *DurationsText({INT64_MAX});
  EXPECT_EQ(ParseDurations(longest).at(0), int64_t{1} << 40);
}

TEST(Durations, RefuseInvalidTexts) {
  for (const char* text : {" ", "a\x7F", "\x80", "\xC4",
                           "\xC4"
                           "a",
                           "\xC3\xBF", "\xC7\xBF", "a\n"}) {
    EXPECT_THROW(ParseDurations(text), std::invalid_argument) << text;
  }
}

TEST(Executions, RefuseInvalidTexts) {
  for (const char* text : {"", "{}", R"({"1":[1,0]})", R"({"1":[0,1]})", R"({"1":[0,0]})", R"({"2":[2,0],"1":[2,0]})",
                           R"({"1":[2,0]} )", R"({"01":[2,0]})", R"({"1":[2]})", R"({"1":[-2,0]})"}) {
    EXPECT_THROW(ParseExecutions(text), std::invalid_argument) << text;
  }
  EXPECT_EQ(ParseExecutions(R"({"0":[2,0],"7":[1,1]})").at(7), (TestCounts{1, 1}));
}

TEST(PartTests, RefuseTextsThatDoNotBelongToTheRoster) {
  Part part;
  const auto rosters = SetPartTests(part, {{"", {{"A.One", Ran(1, 0)}}}});
  part.executions = R"({"1":[2,0]})";
  EXPECT_THROW(TestsOf(part, rosters), std::invalid_argument);
  part.executions.reset();
  part.durations = "!!";
  EXPECT_THROW(TestsOf(part, rosters), std::invalid_argument);
}

}  // namespace
}  // namespace flaky
