// SPDX-License-Identifier: MIT
#include "spool/grouping.h"

#include <gtest/gtest.h>

#include <string>

#include "spool/journal_parser.h"
#include "spool/timed_id.h"
#include "tests/support/journal_text.h"

namespace flaky {
namespace {

RunGrouping Of(const HeaderText& header) { return GroupingOf(ParseJournal(header.Line())); }

TEST(TimedId, IsAUuidThatBeginsWithItsTime) {
  const std::string digits(32, 'f');
  // The time of the example in RFC 9562, appendix A.6, 2022-02-22 19:22:22 UTC.
  EXPECT_EQ(TimedId(Timestamp{1'645'557'742'000'000}, digits), "017f22e279b07fffbfffffffffffffff");
  EXPECT_EQ(TimedId(Timestamp{1'645'557'742'000'999}, std::string(32, '0')), "017f22e279b070008000000000000000");
}

TEST(GroupingOf, PutsTheProcessesOfOneCtestIntoOneRun) {
  const auto under_ctest = [](uint64_t number, const std::string& pid, const std::string& start) {
    return HeaderText(number)
        .SetText("parent_name", "ctest")
        .SetText("boot_id", "b")
        .Set("parent_pid", pid)
        .Set("parent_start", start);
  };
  const RunGrouping one = Of(under_ctest(1, "5", "100"));
  EXPECT_EQ(one.group, one.run_id) << "all of them are one part";
  EXPECT_TRUE(one.is_under_ctest);
  EXPECT_EQ(one.run_id.size(), 32u);
  EXPECT_EQ(Of(under_ctest(2, "5", "100")).run_id, one.run_id);
  EXPECT_NE(Of(under_ctest(2, "5", "101")).run_id, one.run_id);
  EXPECT_NE(Of(under_ctest(2, "6", "100")).run_id, one.run_id);

  const RunGrouping fixture = Of(under_ctest(1, "5", "100").SetText("fixture", "f"));
  EXPECT_EQ(fixture.run_id, one.run_id);
  EXPECT_NE(fixture.group, one.group) << "a separate part, which is complete before that ctest has ended";
  EXPECT_EQ(Of(under_ctest(2, "5", "100").SetText("fixture", "f")).group, fixture.group);
  EXPECT_NE(Of(under_ctest(2, "5", "100").SetText("fixture", "g")).group, fixture.group);
  EXPECT_EQ(CTestGroup({5, "100", "b", "", ""}, "f"), fixture.group);
  EXPECT_EQ(CTestGroup({5, "", "b", "", ""}, "f"), "");

  const RunGrouping named = Of(under_ctest(1, "5", "100").SetText("run_id", "mine"));
  EXPECT_EQ(named.run_id, "mine");
  EXPECT_EQ(named.group, one.group);
  const RunGrouping alone = Of(HeaderText(1).SetText("parent_name", "bash"));
  EXPECT_EQ(alone.run_id, TestId(0x1000001));
  EXPECT_EQ(alone.group, TestId(1));
  EXPECT_EQ(Of(HeaderText(1).SetText("run_id", "mine")).group, TestId(1)) << "a part by itself";
  EXPECT_EQ(Of(under_ctest(1, "5", "100").Remove("parent_start")).group, TestId(1)) << "a pid alone may be reused";
}

TEST(GroupingOf, FindsTheCtestAboveTheParent) {
  const auto below = [](uint64_t number, const std::string& parent) {
    return HeaderText(number)
        .SetText("parent_name", parent)
        .SetText("boot_id", "b")
        .Set("parent_pid", "9")
        .Set("parent_start", "900")
        .Set("ctest_pid", "5")
        .Set("ctest_start", "100");
  };
  const RunGrouping direct = Of(HeaderText(1)
                                    .SetText("parent_name", "ctest")
                                    .SetText("boot_id", "b")
                                    .Set("parent_pid", "5")
                                    .Set("parent_start", "100"));
  for (const char* parent : {"sh", "ctest", "cmake"}) {
    EXPECT_EQ(Of(below(2, parent)).run_id, direct.run_id) << parent;
    EXPECT_EQ(Of(below(2, parent)).group, direct.group) << parent;
    EXPECT_TRUE(Of(below(2, parent)).is_under_ctest) << parent;
  }
}

TEST(GroupingOf, GivesEachRankAPart) {
  const auto rank = [](const std::string& number) {
    HeaderText header(1);
    header.SetText("boot_id", "b").Set("ctest_pid", "5").Set("ctest_start", "100");
    if (!number.empty()) header.Set("rank", number);
    return Of(header);
  };
  EXPECT_EQ(rank("0").group, rank("").group) << "also of programs without MPI";
  EXPECT_NE(rank("1").group, rank("0").group);
  EXPECT_NE(rank("1").group, rank("2").group);
  EXPECT_EQ(rank("1").run_id, rank("0").run_id);
  EXPECT_EQ(rank("1").ctest_group, rank("0").ctest_group);
}

}  // namespace
}  // namespace flaky
