// SPDX-License-Identifier: MIT

// The ways in which test programs end, and what the journal then contains.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/recorder/fixture_run.h"

namespace flaky {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class RecorderEnds : public FixtureTest {};

TEST_F(RecorderEnds, RecordsEachOutcome) {
  EXPECT_EQ(ExitStatus(ExpectSameAsPlain("Plain.*")), 1);
  const Recorded journal = TheJournal();
  EXPECT_EQ(journal.OutcomeOf("Plain.Passes"), "passed");
  EXPECT_EQ(journal.OutcomeOf("Plain.Fails"), "failed");
  EXPECT_EQ(journal.OutcomeOf("Plain.Skips"), "skipped");
  EXPECT_EQ(journal.OutcomeOf("Plain.SkipsWithoutAMessage"), "skipped");
  EXPECT_EQ(journal.OutcomeOf("Plain.Throws"), "failed");
  EXPECT_THAT(journal.MessagesOf("Plain.Fails"),
              ElementsAre(StartsWith("Expected equality of these values:\n  1 + 1\n"), StartsWith("Failed\nsecond")));
  EXPECT_THAT(journal.MessagesOf("Plain.Fails")[0], HasSubstr("first \"quoted\"\ttext\nGoogle Test trace:\n"));
  EXPECT_THAT(journal.MessagesOf("Plain.Skips"), ElementsAre("not on this machine"));
  EXPECT_THAT(journal.MessagesOf("Plain.SkipsWithoutAMessage"), IsEmpty());
  EXPECT_EQ(journal.End(), false);
  EXPECT_FALSE(journal.unfinished);

  const nlohmann::json failure = journal.Results("Plain.Fails")[0][3];
  EXPECT_THAT(failure["file"], testing::EndsWith("behaviours.cc"));
  EXPECT_GT(failure["line"], journal.Results("Plain.Fails")[0][1]) << "the assertion is below the test's first line";
  const nlohmann::json thrown = journal.Results("Plain.Throws")[0][3];
  EXPECT_FALSE(thrown.contains("file") || thrown.contains("line")) << thrown;
  EXPECT_THAT(thrown["message"], HasSubstr("\"boom\""));
}

TEST_F(RecorderEnds, CutsTheFileToThePagesItNeeds) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  env["MANY_TESTS"] = "10000";  // more space is allocated for them than their short names need
  Run("many_tests", {"--gtest_brief=1"});
  const Recorded many = TheJournal();
  EXPECT_EQ(many.End(), true);
  EXPECT_GT(many.text.size(), 10 * page);
  EXPECT_LT(many.file_size, many.text.size() + page);
  std::filesystem::remove_all(spool());

  Run("behaviours", {"--gtest_filter=Plain.Passes"});
  const Recorded journal = TheJournal();
  EXPECT_EQ(journal.End(), true);
  EXPECT_EQ(journal.file_size, page);
  const auto permissions = std::filesystem::status(journal.path).permissions();
  EXPECT_EQ(static_cast<int>(permissions), 0600);
  EXPECT_EQ(static_cast<int>(std::filesystem::status(spool()).permissions()), 0700);
}

TEST_F(RecorderEnds, NamesTheTestInWhichTheProcessWasKilled) {
  const Outcome outcome = ExpectSameAsPlain("Plain.Fails:Ends.ByKill:Ends.NotReached");
  EXPECT_TRUE(WIFSIGNALED(outcome.status) && WTERMSIG(outcome.status) == SIGKILL);
  const Recorded journal = TheJournal();
  EXPECT_TRUE(journal.unfinished);
  EXPECT_EQ(journal.OutcomeOf("Plain.Fails"), "failed");
  EXPECT_EQ(journal.OutcomeOf("Ends.ByKill"), "unfinished");
  EXPECT_TRUE(journal.Results("Ends.NotReached").empty());
  EXPECT_EQ(journal.End(), std::nullopt);
}

TEST_F(RecorderEnds, NamesTheTestThatAborted) {
  ExpectSameAsPlain("Ends.ByAbort");
  EXPECT_EQ(TheJournal().OutcomeOf("Ends.ByAbort"), "unfinished");
}

TEST_F(RecorderEnds, NamesTheTestThatEndedTheProcessWithStatus0) {
  EXPECT_EQ(ExitStatus(ExpectSameAsPlain("Ends.BySilentExit0")), 0);
  EXPECT_EQ(TheJournal().OutcomeOf("Ends.BySilentExit0"), "unfinished");
}

TEST_F(RecorderEnds, KeepsTheStatusOfAnExitWithinATest) {
  EXPECT_EQ(ExitStatus(ExpectSameAsPlain("Ends.ByExit0")), 0);
  const Recorded journal = TheJournal();
  EXPECT_EQ(journal.OutcomeOf("Ends.ByExit0"), "exited");
  EXPECT_EQ(journal.Results("Ends.ByExit0")[0].back(), 0);
  EXPECT_EQ(journal.End(), std::nullopt);
}

TEST_F(RecorderEnds, KeepsTheFailuresBeforeAnExit) {
  EXPECT_EQ(ExitStatus(ExpectSameAsPlain("Ends.ByExit3")), 3);
  const Recorded journal = TheJournal();
  EXPECT_EQ(journal.Results("Ends.ByExit3")[0].back(), 3);
  EXPECT_THAT(journal.MessagesOf("Ends.ByExit3"), ElementsAre(HasSubstr("before the exit")));
}

TEST_F(RecorderEnds, KeepsTheFailureBeforeABreakOrThrowOnFailure) {
  for (const char* flag : {"--gtest_throw_on_failure", "--gtest_break_on_failure"}) {
    ExpectSameAsPlain("Plain.Fails", {flag, "--gtest_catch_exceptions=0"});
    const Recorded journal = TheJournal();
    EXPECT_EQ(journal.OutcomeOf("Plain.Fails"), "unfinished") << flag;
    EXPECT_EQ(journal.MessagesOf("Plain.Fails").size(), 1u) << flag;
    std::filesystem::remove_all(spool());
  }
}

TEST_F(RecorderEnds, KeepsFailuresOfASuiteApart) {
  EXPECT_EQ(ExitStatus(ExpectSameAsPlain("SuiteSetUp.*")), 1);
  const Recorded journal = TheJournal();
  EXPECT_THAT(journal.FailuresOutside(), ElementsAre(HasSubstr("SuiteSetUp: Failed\nsuite set-up"),
                                                     HasSubstr("SuiteSetUp: Failed\nsuite tear-down")));
  for (const char* test : {"SuiteSetUp.First", "SuiteSetUp.Second"}) EXPECT_EQ(journal.OutcomeOf(test), "not_run");
  EXPECT_EQ(journal.End(), false);
}

TEST_F(RecorderEnds, KeepsAnEnvironmentsFailure) {
  env["FIXTURE_ENVIRONMENT"] = "fails";
  ExpectSameAsPlain("Plain.Passes");
  const Recorded journal = TheJournal();
  EXPECT_THAT(journal.FailuresOutside(), ElementsAre(StartsWith(": Failed\nenvironment set-up")));
  EXPECT_EQ(journal.OutcomeOf("Plain.Passes"), "passed");
  EXPECT_EQ(journal.End(), false);
}

TEST_F(RecorderEnds, KeepsAnEnvironmentsExceptionAlthoughNoEndIsReached) {
  env["FIXTURE_ENVIRONMENT"] = "throws";
  EXPECT_EQ(ExitStatus(ExpectSameAsPlain("Plain.Passes")), 1);
  const Recorded journal = TheJournal();
  EXPECT_THAT(journal.FailuresOutside(), ElementsAre(HasSubstr("\"environment\"")));
  EXPECT_TRUE(journal.Results("Plain.Passes").empty());
}

TEST_F(RecorderEnds, HasNoOpenTestWhenAnEnvironmentExits) {
  env["FIXTURE_ENVIRONMENT"] = "exits";
  EXPECT_EQ(ExitStatus(ExpectSameAsPlain("Plain.Passes")), 6);
  EXPECT_THAT(TheJournal().lines, IsEmpty());
}

TEST_F(RecorderEnds, DistinguishesTestsThatDidNotRunFromSkippedTests) {
  ExpectSameAsPlain("Plain.*", {"--gtest_fail_fast"});
  const Recorded journal = TheJournal();
  EXPECT_EQ(journal.OutcomeOf("Plain.Passes"), "passed");
  EXPECT_EQ(journal.OutcomeOf("Plain.Fails"), "failed");
  for (const char* test : {"Plain.Skips", "Plain.SkipsWithoutAMessage", "Plain.Throws"}) {
    EXPECT_EQ(journal.OutcomeOf(test), "not_run") << test;
  }
}

TEST_F(RecorderEnds, KeepsAFailingIterationInTheMiddle) {
  EXPECT_EQ(ExitStatus(ExpectSameAsPlain("Repeat.*", {"--gtest_repeat=3"})), 1);
  const Recorded journal = TheJournal();
  std::vector<std::string> story;
  for (const auto& line : journal.lines) {
    if (line.is_array()) story.push_back(line[line.size() - 2]);
    if (line.is_object() && line.contains("iteration")) story.push_back(line.dump());
  }
  EXPECT_THAT(story, ElementsAre("passed", "{\"iteration\":1}", "failed", "{\"iteration\":2}", "passed"));
  EXPECT_EQ(journal.End(), true) << "GoogleTest reports the last iteration only";
}

TEST_F(RecorderEnds, CountsThePassesOfEndlessRepeats) {
  env["FIXTURE_DIES"] = "0";
  EXPECT_EQ(ExitStatus(Run("behaviours", {"--gtest_filter=Counted.*", "--gtest_repeat=22000", "--gtest_brief=1"})), 1);
  const Recorded journal = TheJournal();
  EXPECT_LT(journal.file_size, 4u << 20);
  EXPECT_GT(journal.Results("Counted.Passes").size(), 1000u) << "the first passes are kept";
  EXPECT_LT(journal.Results("Counted.Passes").size(), 20000u);
  EXPECT_THAT(journal.MessagesOf("Counted.FailsInTheTwentyThousandth"), ElementsAre(HasSubstr("20000")));
  const auto begin = std::ranges::find(journal.lines, nlohmann::json({{"iteration", 19999}, {"counted", true}}));
  ASSERT_GE(journal.lines.end() - begin, 5);
  EXPECT_EQ(begin[1], nlohmann::json({{"after", "Counted.DiesIfAskedTo"}}));
  EXPECT_EQ(begin[2][0], "Counted.FailsInTheTwentyThousandth");
  EXPECT_EQ(begin[3], nlohmann::json({{"iteration", 21999}, {"counted", true}})) << "the last iteration keeps its line";
  EXPECT_EQ(journal.End(), true);
}

TEST_F(RecorderEnds, NamesTheTestThatDiesAfterManyRepeats) {
  env["FIXTURE_DIES"] = "1";
  Run("behaviours", {"--gtest_filter=Counted.*", "--gtest_repeat=22000", "--gtest_brief=1"});
  const Recorded journal = TheJournal();
  EXPECT_TRUE(journal.unfinished);
  EXPECT_EQ(journal.lines.back()[0], "Counted.DiesIfAskedTo");
  EXPECT_EQ(journal.lines[journal.lines.size() - 2], nlohmann::json({{"after", "Counted.Skips"}}));
}

TEST_F(RecorderEnds, WritesAJournalForEachRunOfAMain) {
  env["FIXTURE_RUNS"] = "2";
  env["FIXTURE_STATUS"] = "0";
  EXPECT_EQ(ExitStatus(Run("own_main")), 0);
  const std::vector<Recorded> journals = Journals();
  ASSERT_EQ(journals.size(), 2u);
  EXPECT_EQ(journals[0].header["process_run_id"], journals[1].header["process_run_id"]);
  EXPECT_NE(journals[0].header["journal_id"], journals[1].header["journal_id"]);
  for (const Recorded& journal : journals) {
    EXPECT_EQ(journal.OutcomeOf("OwnMain.Fails"), "failed");
    EXPECT_EQ(journal.End(), false) << "although main returned 0";
  }
}

}  // namespace
}  // namespace flaky
