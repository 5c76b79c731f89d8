// SPDX-License-Identifier: MIT

// The environment variables that the recorder reads.

#include "recorder/settings.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "tests/recorder/fixture_run.h"

namespace flaky {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class RecorderSettings : public FixtureTest {};

int JournalsIn(const std::filesystem::path& folder) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) count += entry.path().extension() == ".jsonl";
  return count;
}

TEST_F(RecorderSettings, SpoolIsInTheStateFolder) {
  env["FLAKY_TESTS_SPOOL"] = std::nullopt;
  env["XDG_STATE_HOME"] = (folder() / "state").string();
  ExpectSameAsPlain("Plain.Passes");
  EXPECT_EQ(JournalsIn(folder() / "state/flaky/spool"), 1);
  EXPECT_EQ(static_cast<int>(std::filesystem::status(folder() / "state").permissions()), 0700);

  env["XDG_STATE_HOME"] = "relative";  // counts as absent
  ExpectSameAsPlain("Plain.Passes");
  EXPECT_EQ(JournalsIn(folder() / ".local/state/flaky/spool"), 1);
  EXPECT_FALSE(std::filesystem::exists(folder() / "relative"));
}

TEST_F(RecorderSettings, SpoolIsInTmpWithoutAHome) {
  const std::filesystem::path spool = "/tmp/flaky-" + std::to_string(getuid()) + "/spool";
  env["FLAKY_TESTS_SPOOL"] = "";  // counts as absent
  env["HOME"] = std::nullopt;
  const bool was_there = std::filesystem::exists(spool.parent_path());
  ExpectSameAsPlain("Plain.Passes");
  int ours = 0;  // other test programs of this user may use the same folder
  for (const auto& entry : std::filesystem::directory_iterator(spool)) {
    if (!entry.is_regular_file()) continue;
    const Recorded journal = Read(entry.path());
    if (!journal.header.is_object() || journal.header["cwd"] != std::filesystem::canonical(folder()).string()) continue;
    ++ours;
    std::filesystem::remove(entry);
  }
  EXPECT_EQ(ours, 1);
  if (!was_there) std::filesystem::remove_all(spool.parent_path());
}

TEST_F(RecorderSettings, ARelativeSpoolIsRelativeToTheFolderAtTheStart) {
  env["FLAKY_TESTS_SPOOL"] = "here/spool";
  ExpectSameAsPlain("Process.LeavesItsFolderAndEnvironment:Plain.Passes:Text.FiveMegabytes", {}, WarningIs::kDue);
  ASSERT_EQ(JournalsIn(folder() / "here/spool"), 1);
  for (const auto& entry : std::filesystem::directory_iterator(folder() / "here/spool")) {
    if (!entry.is_regular_file()) continue;
    const Recorded journal = Read(entry.path());
    EXPECT_EQ(journal.OutcomeOf("Process.LeavesItsFolderAndEnvironment"), "failed");
    EXPECT_EQ(journal.OutcomeOf("Text.FiveMegabytes"), "failed");
    EXPECT_EQ(journal.End(), false);
  }
}

TEST_F(RecorderSettings, ASpoolMayBeInTheHome) {
  env["FLAKY_TESTS_SPOOL"] = "~/of-home";
  ExpectSameAsPlain("Plain.Passes");
  EXPECT_EQ(JournalsIn(folder() / "of-home"), 1);
  env["HOME"] = std::nullopt;
  const Outcome outcome = Run("behaviours", {"--gtest_filter=Plain.Passes"});
  EXPECT_EQ(outcome.err, "flaky: nothing is recorded: No such file or directory: ~/of-home\n");
  EXPECT_FALSE(std::filesystem::exists(folder() / "~"));
}

TEST_F(RecorderSettings, AnInvalidValueIsReportedOnceAndTheDefaultUsed) {
  env["FLAKY_TESTS_MAX_MESSAGE"] = "-5";
  env["FLAKY_TESTS_DISABLE"] = "perhaps\x1b[2J";
  env["FLAKY_TESTS_RUN_ID"] = std::string(2000, 'r');
  const Outcome outcome = Run("behaviours", {"--gtest_filter=Text.FiveMegabytes"});
  EXPECT_EQ(ExitStatus(outcome), 1);
  EXPECT_THAT(
      outcome.err,
      AllOf(HasSubstr("invalid FLAKY_TESTS_MAX_MESSAGE; expected a whole number from 1024 to 16777216 (using 65536)"),
            HasSubstr("invalid FLAKY_TESTS_DISABLE; expected 1 or 0 (using 0)"),
            HasSubstr("ignoring FLAKY_TESTS_RUN_ID: longer than 1024 bytes")));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1);
  const Recorded journal = TheJournal();
  EXPECT_GT(journal.MessagesOf("Text.FiveMegabytes").at(0).size(), 65536u);
  EXPECT_FALSE(journal.header.contains("run_id"));
}

TEST_F(RecorderSettings, NumbersAreWholeAndWithinTheirRange) {
  for (const char* nonsense : {"1023", "16777217", "1e5", "70000x", "20 48", "99999999999999999999", "0x400"}) {
    env["FLAKY_TESTS_MAX_MESSAGE"] = nonsense;
    EXPECT_THAT(Run("behaviours", {"--gtest_filter=Plain.Passes"}).err, HasSubstr("invalid FLAKY_TESTS_MAX_MESSAGE"));
  }
  for (const char* fine : {"1024", "16777216"}) {
    env["FLAKY_TESTS_MAX_MESSAGE"] = fine;
    EXPECT_EQ(Run("behaviours", {"--gtest_filter=Plain.Passes"}).err, "");
  }
}

TEST_F(RecorderSettings, ALogSetToSilentOrErrorHidesTheWarning) {
  env["FLAKY_TESTS_MAX_MESSAGE"] = "nonsense";
  for (const char* quiet : {"silent", "error"}) {
    env["FLAKY_TESTS_LOG"] = quiet;
    EXPECT_EQ(Run("behaviours", {"--gtest_filter=Plain.Passes"}).err, "") << quiet;
  }
  env["FLAKY_TESTS_LOG"] = "warn";
  EXPECT_NE(Run("behaviours", {"--gtest_filter=Plain.Passes"}).err, "");
}

TEST_F(RecorderSettings, AReplacedStderrGetsNoWarning) {
  env["FLAKY_TESTS_MAX_MESSAGE"] = "nonsense";
  EXPECT_EQ(Run("behaviours", {"--gtest_filter=Process.ReplacesItsStderr"}).err, "");
  EXPECT_EQ(std::filesystem::file_size(folder() / "stderr"), 0u) << "it is the test's file";
}

TEST_F(RecorderSettings, ASecondRunDoesNotWarnAgain) {
  env["FLAKY_TESTS_MAX_MESSAGE"] = "nonsense";
  env["FIXTURE_RUNS"] = "3";
  const std::string err = Run("own_main").err;
  EXPECT_EQ(std::count(err.begin(), err.end(), '\n'), 1) << err;
}

}  // namespace
}  // namespace flaky
