// SPDX-License-Identifier: MIT
#include "spool/test_lists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "history/part_tests.h"
#include "history/roster.h"
#include "spool/spool_files.h"
#include "tests/spool/spool_fixture.h"

namespace flaky {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string HashOf(const std::string& text) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(XXH64(text.data(), text.size(), 0)));
  return digits;
}

class TestListsTest : public SpoolTest {
 protected:
  // Leaves a list in the spool, so many days ago. Returns its name.
  std::string Keep(const std::string& text, int days_ago = 0, std::string name = "") const {
    if (name.empty()) name = HashOf(text);
    fs::create_directories(lists());
    WriteWholeFile(lists() / name, text);
    Age(name, days_ago);
    return name;
  }
  void Age(const std::string& name, int days) const {
    fs::last_write_time(lists() / name, fs::file_time_type::clock::now() - std::chrono::hours(24 * days));
  }
  std::vector<std::string> NamesIn(const std::string& list) const {
    TestLists found;
    found.Open(OpenFolder(spool().string()));
    const TestLists::Names names = found.Find(list);
    return names ? *names : std::vector<std::string>{"none"};
  }
  fs::path lists() const { return spool() / "lists"; }
};

TEST_F(TestListsTest, HasTheNamesInOrder) {
  EXPECT_THAT(NamesIn(Keep("S.B\nS.A\nS.B\n")), ElementsAre("S.A", "S.B"));
  EXPECT_THAT(NamesIn(Keep("")), IsEmpty());
}

TEST_F(TestListsTest, LeavesOutWhatCannotBeTheNameOfATest) {
  EXPECT_THAT(NamesIn(Keep(std::string("S.\0A\nS.\xFF\nnone\n\nS.Good", 21))), ElementsAre("S.Good"));
}

TEST_F(TestListsTest, ADamagedOrForeignListCountsAsNone) {
  const std::string list = Keep("S.A\n");
  WriteWholeFile(lists() / list, "S.Other\n");
  EXPECT_THAT(NamesIn(list), ElementsAre("none"));
  EXPECT_FALSE(fs::exists(lists() / list)) << "so that the next test program writes it again";
  EXPECT_THAT(NamesIn(list), ElementsAre("none"));
  EXPECT_THAT(NamesIn("../../secret"), ElementsAre("none"));

  const fs::path elsewhere = folder_.path() / "file";
  WriteWholeFile(elsewhere, "S.A\n");
  fs::create_symlink(elsewhere, lists() / list);
  EXPECT_THAT(NamesIn(list), ElementsAre("none")) << "a link could lead anywhere";
  fs::remove(lists() / list);
  mkfifo((lists() / list).c_str(), 0600);
  EXPECT_THAT(NamesIn(list), ElementsAre("none")) << "and a pipe would wait for a writer";

  fs::remove_all(lists());
  WriteWholeFile(folder_.path() / "elsewhere" / list, "S.A\n");
  fs::create_directory_symlink(folder_.path() / "elsewhere", lists());
  EXPECT_THAT(NamesIn(list), ElementsAre("none"));
}

TEST_F(TestListsTest, AHugeListIsNotRead) {
  const std::string list = Keep("S.A\n");
  fs::resize_file(lists() / list, uintmax_t{100} << 30);
  EXPECT_THAT(NamesIn(list), ElementsAre("none"));
}

TEST_F(TestListsTest, ARosterRefersToAllTestsOfTheProgram) {
  const std::string list = Keep("S.A\nS.B\nS.C\n");
  WriteWholeFile(FileOf(1), HeaderText(1).SetText("list", list).Line() + kOneTest + kPassedEnd);
  const std::string other = R"(["S.C",1,1000,"passed",1])"
                            "\n";
  WriteWholeFile(FileOf(2), HeaderText(2).SetText("list", list).Line() + other + kPassedEnd);
  WriteWholeFile(FileOf(3), HeaderText(3).SetText("list", "0123456789abcdef").Line() + kOneTest + kPassedEnd);
  const Taken taken = TakeAll(Deliver);
  EXPECT_THAT(taken.report.messages, IsEmpty());
  std::vector<std::vector<std::string>> names;
  std::vector<std::string> marks;
  for (const RunRecord& record : taken.records) {
    const Roster& roster = *FindRoster(record.rosters, *record.parts.at(0).roster_id);
    const RosterPiece piece = ParseRoster(roster.tests).at(0);
    names.push_back(ParseTestList(FindRoster(record.rosters, piece.list_id)->tests));
    marks.push_back(piece.marks);
  }
  const std::vector<std::string> all = {"S.A", "S.B", "S.C"};
  EXPECT_THAT(names, testing::UnorderedElementsAre(all, all, std::vector<std::string>{"S.A"}));
  EXPECT_THAT(marks, testing::UnorderedElementsAre("1--", "--1", "1"));
  EXPECT_TRUE(fs::exists(lists() / list)) << "the next runs need it, too";
}

TEST_F(TestListsTest, ADeliveryRemovesWhatWasNotUsedForAWeek) {
  const std::string used = Keep("S.Used\n", 30), old = Keep("S.Old\n", 8), recent = Keep("S.Recent\n", 6);
  Keep("half", 8, ".draft");
  WriteWholeFile(FileOf(1), LiveHeader(1).SetText("list", used).Line());  // its program still runs
  TakeAll(Deliver);
  EXPECT_TRUE(fs::exists(lists() / used));
  EXPECT_FALSE(fs::exists(lists() / old));
  EXPECT_TRUE(fs::exists(lists() / recent));
  EXPECT_FALSE(fs::exists(lists() / ".draft"));

  Age(recent, 8);
  TakeAll(Deliver);
  EXPECT_TRUE(fs::exists(lists() / recent)) << "they are looked for once a day";
  Age(".cleaned", 2);
  TakeAll(Deliver);
  EXPECT_FALSE(fs::exists(lists() / recent));
  EXPECT_TRUE(fs::exists(lists() / used));
}

TEST_F(TestListsTest, ReadingAListKeepsIt) {
  const std::string list = Keep("S.A\n", 30);
  EXPECT_THAT(NamesIn(list), ElementsAre("S.A"));
  EXPECT_LT(fs::file_time_type::clock::now() - fs::last_write_time(lists() / list), std::chrono::hours(1));
}

TEST_F(TestListsTest, AListIsNotAJournal) {
  Keep("S.A\n");
  EXPECT_FALSE(HasPending(spool()));
  EXPECT_THAT(TakeAll().records, IsEmpty());
}

}  // namespace
}  // namespace flaky
