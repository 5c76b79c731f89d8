// SPDX-License-Identifier: MIT
#include "analysis/run_filters.h"

#include <gmock/gmock.h>

#include <chrono>
#include <string>

#include "tests/support/record_builder.h"

namespace flaky {
namespace {

using testing::ElementsAre;

const FilterInfo& Filter(std::string_view name) {
  for (const FilterInfo& filter : FilterTable()) {
    if (filter.name == name) return filter;
  }
  throw std::out_of_range(std::string(name));
}

TEST(MatchesPatternTest, StarAndQuestionMark) {
  EXPECT_TRUE(MatchesPattern("", ""));
  EXPECT_TRUE(MatchesPattern("", "**"));
  EXPECT_FALSE(MatchesPattern("", "?"));
  EXPECT_TRUE(MatchesPattern("Suite.Test", "Suite.Test"));
  EXPECT_FALSE(MatchesPattern("Suite.Test", "Suite.Tes"));
  EXPECT_FALSE(MatchesPattern("Suite.Tes", "Suite.Test"));
  EXPECT_TRUE(MatchesPattern("Suite/0.Test/1", "Suite*.T?st*"));
  EXPECT_TRUE(MatchesPattern("aXbXc", "*X*c"));
  EXPECT_FALSE(MatchesPattern("aXbXcd", "*X*c"));
  EXPECT_TRUE(MatchesPattern("[a]\\", "[a]\\")) << "no other character is special";
}

TEST(MatchesPatternTest, ManyStarsDoNotTakeLong) {
  const auto start = std::chrono::steady_clock::now();
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "*a";
  EXPECT_FALSE(MatchesPattern(std::string(5000, 'a'), pattern + "*b"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(RunFiltersTest, EachFilterIsOfARunOrOfAPart) {
  for (const FilterInfo& filter : FilterTable()) {
    EXPECT_NE(filter.of_run == nullptr, filter.of_part == nullptr) << filter.name;
  }
}

TEST(RunFiltersTest, WithoutValuesEveryRunIsKept) {
  RunRecord record = BuildRecord("r").Part("p", 0).Build();
  const RunFilters filters;
  EXPECT_TRUE(filters.IsEmpty());
  EXPECT_FALSE(filters.NeedsParts());
  EXPECT_TRUE(filters.Keep(record));
  EXPECT_EQ(record.parts.size(), 1U);
}

TEST(RunFiltersTest, AFilterOfPartsReducesTheRun) {
  RunRecord record = BuildRecord("r").Part("one", 0, 1).Fail("A.A").Part("two", 5, 1).Fail("B.B").Build();
  record.parts[0].variant = "asan";
  record.failures.push_back(record.failures[0]);
  record.failures.back().part_id = std::nullopt;
  RunFilters filters;
  filters.Wanted(Filter("variant")) = {"tsan", "asan"};
  EXPECT_TRUE(filters.NeedsParts());
  EXPECT_THAT(filters.Names(), ElementsAre("variant"));
  ASSERT_TRUE(filters.Keep(record));
  ASSERT_EQ(record.parts.size(), 1U);
  EXPECT_EQ(record.parts[0].part_id, "one");
  ASSERT_EQ(record.failures.size(), 1U);
  EXPECT_EQ(record.failures[0].test_name, "A.A");
  EXPECT_EQ(record.run.account.failed_tests, 1);
  EXPECT_EQ(record.run.account.total_tests, 2);
  filters.Wanted(Filter("variant")) = {""};
  EXPECT_FALSE(filters.Keep(record)) << "the part that is left has a variant";
}

TEST(RunFiltersTest, EveryFilterMustMatch) {
  RunRecord record = BuildRecord("r").Part("one", 0).Build();
  record.run.branch = "main";
  record.run.git_sha = "4b825dc6";
  RunFilters filters;
  filters.Wanted(Filter("commit")) = {"4b82"};
  EXPECT_TRUE(filters.Keep(record));
  filters.Wanted(Filter("branch")) = {"other"};
  EXPECT_FALSE(filters.Keep(record));
  filters.Wanted(Filter("branch")) = {"other", "ma*"};
  EXPECT_TRUE(filters.Keep(record));
  filters.Wanted(Filter("dirty")) = {"no"};
  EXPECT_FALSE(filters.Keep(record)) << "not known";
  record.run.git_dirty = false;
  EXPECT_TRUE(filters.Keep(record));
  EXPECT_THAT(filters.Names(), ElementsAre("branch", "commit", "dirty"));
}

}  // namespace
}  // namespace flaky
