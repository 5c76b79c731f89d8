// SPDX-License-Identifier: MIT

// Children of test programs, and programs that run no test, leave no journal.

#include <gmock/gmock.h>

#include <fstream>

#include "tests/recorder/fixture_run.h"

namespace flaky {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RecorderForks : public FixtureTest {};

TEST_F(RecorderForks, AChildThatReturnsFromATestWritesNothing) {
  EXPECT_EQ(ExitStatus(ExpectSameAsPlain("Fork.ChildReturns:Fork.Next")), 0);
  const Recorded journal = TheJournal();
  EXPECT_EQ(journal.OutcomeOf("Fork.ChildReturns"), "passed");
  EXPECT_THAT(journal.MessagesOf("Fork.ChildReturns"), IsEmpty());
  EXPECT_EQ(journal.OutcomeOf("Fork.Next"), "passed");
  EXPECT_EQ(journal.End(), true);
}

TEST_F(RecorderForks, AChildThatReturnsDeliversNothing) {
  env["FLAKY_TESTS_DELIVERY_TIMEOUT"] = "120";
  env["FLAKY_TESTS_DELIVERY_WAIT"] = "120000";
  env["FLAKY_TESTS_PROGRAM"] = std::string(FLAKY_FIXTURES) + "/stand_in_flaky";
  env["STAND_IN_NOTES"] = (folder() / "notes").string();
  Run("behaviours", {"--gtest_filter=Fork.ChildReturns:Fork.Next"});
  std::ifstream notes(folder() / "notes");
  int deliveries = 0;
  for (std::string line; std::getline(notes, line);) deliveries += line == "argument deliver";
  EXPECT_EQ(deliveries, 1);
}

TEST_F(RecorderForks, AChildThatExitsWritesNothing) {
  EXPECT_EQ(ExitStatus(ExpectSameAsPlain("Fork.ChildExits:Fork.Next")), 0);
  const Recorded journal = TheJournal();
  EXPECT_EQ(journal.OutcomeOf("Fork.ChildExits"), "passed");
  EXPECT_EQ(journal.OutcomeOf("Fork.Next"), "passed");
  EXPECT_EQ(journal.End(), true);
}

TEST_F(RecorderForks, DeathTestsOfBothStylesLeaveOneJournal) {
  for (const char* style : {"fast", "threadsafe"}) {
    ExpectSameAsPlain("DeathTest.*", {std::string("--gtest_death_test_style=") + style});
    const Recorded journal = TheJournal();
    for (const char* test : {"DeathTest.Exits", "DeathTest.Aborts", "DeathTest.FailsInTheChild"}) {
      EXPECT_EQ(journal.OutcomeOf(test), "passed") << style;
    }
    EXPECT_EQ(journal.OutcomeOf("DeathTest.DoesNotDie"), "failed") << style;
    EXPECT_THAT(journal.MessagesOf("DeathTest.DoesNotDie"), ElementsAre(HasSubstr("failed to die"))) << style;
    EXPECT_EQ(journal.End(), false) << style;
    std::filesystem::remove_all(spool());
  }
}

TEST_F(RecorderForks, ProgramsThatRunNothingLeaveNothing) {
  for (const char* flag : {"--gtest_list_tests", "--help", "--gtest_no_such_flag"}) {
    const Outcome plain = Run("behaviours_plain", {flag}), recorded = Run("behaviours", {flag});
    EXPECT_EQ(recorded.status, plain.status) << flag;
    EXPECT_EQ(WithoutTimes(recorded.out), WithoutTimes(plain.out)) << flag;
    EXPECT_EQ(recorded.err, "") << flag;
  }
  EXPECT_THAT(std::filesystem::directory_iterator(folder()), testing::Eq(std::filesystem::directory_iterator()));
}

TEST_F(RecorderForks, NothingIsLeftIfRecordingIsDisabled) {
  for (const char* yes : {"1", "true", "yes", "on"}) {
    env["FLAKY_TESTS_DISABLE"] = yes;
    EXPECT_EQ(ExpectSameAsPlain("Plain.Passes").err, "");
    EXPECT_FALSE(std::filesystem::exists(spool())) << yes;
  }
  for (const char* no : {"0", "false", "no", "off", ""}) {
    env["FLAKY_TESTS_DISABLE"] = no;
    ExpectSameAsPlain("Plain.Passes");
    EXPECT_EQ(Journals().size(), 1u) << no;
    std::filesystem::remove_all(spool());
  }
}

TEST_F(RecorderForks, ARunOfNoTestIsRecorded) {
  ExpectSameAsPlain("No.SuchTest");
  const Recorded journal = TheJournal();
  EXPECT_EQ(journal.header["tests_to_run"], 0);
  EXPECT_EQ(journal.lines.size(), 1u);
  EXPECT_EQ(journal.End(), true);
}

TEST_F(RecorderForks, TheRecorderInALibraryAndItsProgramRecordsOnce) {
  for (const char* fixture : {"twice_shared", "twice_object"}) {
    EXPECT_EQ(ExitStatus(Run(fixture)), 0) << fixture;
    const Recorded journal = TheJournal();
    EXPECT_EQ(journal.OutcomeOf("InTheLibrary.Passes"), "passed") << fixture;
    EXPECT_EQ(journal.OutcomeOf("InTheProgram.Passes"), "passed") << fixture;
    std::filesystem::remove_all(spool());
  }
}

TEST_F(RecorderForks, RecordsWithGoogleTestFromSource) {
  EXPECT_EQ(ExitStatus(Run("from_source")), 0);
  EXPECT_EQ(TheJournal().End(), true);
}

}  // namespace
}  // namespace flaky
