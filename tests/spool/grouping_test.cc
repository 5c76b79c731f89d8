#include "spool/grouping.h"

#include <gtest/gtest.h>

#include <string>

#include "spool/journal_parser.h"
#include "tests/support/journal_text.h"

namespace flaky {
namespace {

RunGrouping Of(const HeaderText& header) { return GroupingOf(ParseJournal(header.Line())); }

TEST(GroupingOf, PutsTheProcessesOfOneCtestIntoOneRun) {
  const auto below = [](uint64_t number, const std::string& pid, const std::string& start) {
    return HeaderText(number)
        .SetText("parent_name", "ctest")
        .SetText("boot_id", "b")
        .Set("parent_pid", pid)
        .Set("parent_start", start);
  };
  const RunGrouping one = Of(below(1, "5", "100"));
  EXPECT_EQ(one.group, one.run_id) << "all of them are one part";
  EXPECT_TRUE(one.below_ctest);
  EXPECT_EQ(one.run_id.size(), 32u);
  EXPECT_EQ(Of(below(2, "5", "100")).run_id, one.run_id);
  EXPECT_NE(Of(below(2, "5", "101")).run_id, one.run_id);
  EXPECT_NE(Of(below(2, "6", "100")).run_id, one.run_id);

  const RunGrouping fixture = Of(below(1, "5", "100").SetText("fixture", "f"));
  EXPECT_EQ(fixture.run_id, one.run_id);
  EXPECT_NE(fixture.group, one.group) << "a part of its own, which is complete before that ctest has ended";
  EXPECT_EQ(Of(below(2, "5", "100").SetText("fixture", "f")).group, fixture.group);
  EXPECT_NE(Of(below(2, "5", "100").SetText("fixture", "g")).group, fixture.group);
  EXPECT_EQ(CTestGroup({5, "100", "b", "", ""}, "f"), fixture.group);
  EXPECT_EQ(CTestGroup({5, "", "b", "", ""}, "f"), "");

  const RunGrouping named = Of(below(1, "5", "100").SetText("run_id", "mine"));
  EXPECT_EQ(named.run_id, "mine");
  EXPECT_EQ(named.group, one.group);
  const RunGrouping alone = Of(HeaderText(1).SetText("parent_name", "bash"));
  EXPECT_EQ(alone.run_id, TestId(0x1000001));
  EXPECT_EQ(alone.group, TestId(1));
  EXPECT_EQ(Of(HeaderText(1).SetText("run_id", "mine")).group, TestId(1)) << "a part by itself";
  EXPECT_EQ(Of(below(1, "5", "100").Remove("parent_start")).group, TestId(1)) << "a pid alone is used again";
}

}  // namespace
}  // namespace flaky
