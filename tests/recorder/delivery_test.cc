// SPDX-License-Identifier: MIT

// The delivery that a test program starts when it ends, with a stand-in for the program `flaky`.

#include <gmock/gmock.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "tests/recorder/fixture_run.h"
#include "tests/support/wait_for.h"

namespace flaky {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr char kGenerous[] = "120";         // seconds for a delivery that succeeds, because the machine may stall
constexpr char kGenerousWait[] = "120000";  // the same for the wait, in milliseconds

class RecorderDelivery : public FixtureTest {
 protected:
  RecorderDelivery() {
    env["FLAKY_TESTS_DELIVERY_TIMEOUT"] = kGenerous;
    env["FLAKY_TESTS_DELIVERY_WAIT"] = kGenerousWait;
    env["FLAKY_TESTS_PROGRAM"] = std::string(FLAKY_FIXTURES) + "/stand_in_flaky";
    env["STAND_IN_NOTES"] = (folder() / "notes").string();
  }

  // Returns the lines that the stand-in wrote; none if it was not started.
  std::vector<std::string> Notes() const {
    std::vector<std::string> notes;
    std::ifstream file(folder() / "notes");
    for (std::string line; std::getline(file, line);) notes.push_back(line);
    return notes;
  }

  // Runs a test that prints nothing to stderr. Returns what the recorder wrote there, at most one line, and sets took_.
  std::string Warning(const std::string& filter = "Plain.Passes") {
    const auto begin = std::chrono::steady_clock::now();
    const Outcome outcome = Run("behaviours", {"--gtest_filter=" + filter});
    took_ = std::chrono::steady_clock::now() - begin;
    EXPECT_EQ(ExitStatus(outcome), 0);
    EXPECT_EQ(outcome.out.find("this goes nowhere"), std::string::npos);
    EXPECT_LE(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_EQ(Journals().size(), 1u) << "the journal stays until a delivery takes it";
    return outcome.err;
  }

  std::chrono::duration<double> took_{};
};

TEST_F(RecorderDelivery, StartsTheProgramAsFromAFreshShell) {
  env["MARK"] = "as at the start";
  EXPECT_EQ(
      ExpectSameAsPlain("Process.BlocksSignals:Process.LeavesItsFolderAndEnvironment:Descriptors.ClosedAndReused").err,
      "");
  const std::vector<std::string> notes = Notes();
  ASSERT_THAT(notes, Not(IsEmpty()));
  EXPECT_EQ(notes[0], "argument deliver");
  EXPECT_EQ(notes[1], "argument --quiet");
  EXPECT_EQ(notes[2], "argument --answer");
  EXPECT_EQ(notes[3], "folder " + std::filesystem::canonical(folder()).string());
  EXPECT_THAT(notes, Contains("environment MARK=as at the start"));
  EXPECT_THAT(notes, Contains("environment FLAKY_TESTS_SPOOL=" + spool().string()));
  EXPECT_THAT(notes, Not(Contains(StartsWith("signal"))));
  EXPECT_THAT(notes, Not(Contains(StartsWith("descriptor"))));
}

TEST_F(RecorderDelivery, SaysNothingWhenAllIsWell) {
  EXPECT_EQ(Warning(), "");
  EXPECT_THAT(Notes(), Contains("argument deliver"));
}

TEST_F(RecorderDelivery, DoesNotHappenIfTheTimeoutIs0) {
  env["FLAKY_TESTS_DELIVERY_TIMEOUT"] = "0";
  EXPECT_EQ(Warning(), "");
  EXPECT_THAT(Notes(), IsEmpty());
}

// Before the tests, as a child of ctest, if it is certain that it is one; else after them.
TEST_F(RecorderDelivery, WaitsForTheEndOfCtest) {
  launcher = (folder() / "ctest").string();
  std::ofstream(*launcher) << "#!/bin/sh\n\"$@\"\nexit $?\n";
  std::filesystem::permissions(*launcher, std::filesystem::perms::owner_all);
  for (const char* is_certain : {"", "1"}) {
    env["CTEST_INTERACTIVE_DEBUG_MODE"] = is_certain;
    EXPECT_EQ(Warning(), "");
    EXPECT_EQ(TheJournal().header["parent_name"], "ctest");
    const std::string ctest = std::to_string(TheJournal().header["parent_pid"].get<int64_t>()) + "-" +
                              std::to_string(TheJournal().header["parent_start"].get<int64_t>());
    WaitFor("the process that waits for the end of ctest", [&] { return Notes().size() > 3; });
    const std::vector<std::string> notes = Notes();
    EXPECT_EQ(notes[0], "argument deliver");
    EXPECT_EQ(notes[1], "argument --after-ctest");
    EXPECT_EQ(notes[2], "argument " + ctest);
    EXPECT_THAT(notes, Contains("descriptor 3")) << "the lock on the mark";
    EXPECT_TRUE(std::filesystem::exists(spool() / (".ctest-" + ctest)));
    std::filesystem::remove_all(spool());
    std::filesystem::remove(folder() / "notes");
  }
}

// A process that waits for the end of ctest may be killed: the next test program starts another.
TEST_F(RecorderDelivery, OneProcessWaitsForTheEndOfCtestAndIsReplaced) {
  launcher = (folder() / "ctest").string();
  std::ofstream(*launcher) << R"(#!/bin/sh
"$@"
"$@"
until test -s waiting; do sleep 0.01; done
read pid < waiting
kill -9 $pid
while kill -0 $pid; do sleep 0.01; done 2> /dev/null
"$@"
exit 0
)";
  std::filesystem::permissions(*launcher, std::filesystem::perms::owner_all);
  env["CTEST_INTERACTIVE_DEBUG_MODE"] = "1";
  env["STAND_IN"] = "wait";
  env["STAND_IN_PID"] = (folder() / "waiting").string();
  Run("behaviours", {"--gtest_filter=Plain.Passes"});
  EXPECT_EQ(Journals().size(), 3u);
  WaitFor("a second process", [&] {
    const std::vector<std::string> notes = Notes();
    return std::count(notes.begin(), notes.end(), "argument --after-ctest") == 2;
  });
}

TEST_F(RecorderDelivery, RelaysTheFirstLineWithoutControlCharacters) {
  env["STAND_IN"] = "fail";
  EXPECT_EQ(Warning(), "flaky: the store \\x1b[31mcannot\\x1b[0m be reached\n");
}

// Neither what a delivery says nor a path in a setting may control a terminal, a CI system or ctest.
TEST_F(RecorderDelivery, WarnsInHarmlessText) {
  env["FLAKY_TESTS_PROGRAM"] =
      "none/::error::x ##vso[y]##[z] \u009b31m\u202e\u00ad\u3164 <DartMeasurementFile> \xff gr\u00f6\u00dfe \u65e5";
  EXPECT_THAT(Warning(), StartsWith("flaky: invalid FLAKY_TESTS_PROGRAM `none/:\\x3aerror:\\x3ax #\\x23vso[y]#\\x23[z] "
                                    "\\xc2\\x9b31m\\xe2\\x80\\xae\\xc2\\xad\\xe3\\x85\\xa4 "
                                    "<\\x44artMeasurementFile> \\xff gr\u00f6\u00dfe \u65e5`; expected an"));
}

TEST_F(RecorderDelivery, ReportsAFailureWithoutAMessage) {
  env["STAND_IN"] = "fail without a message";
  EXPECT_EQ(Warning(), "flaky: `flaky deliver` gave no answer; the results stay in " + spool().string() +
                           " until the next `flaky` command delivers them\n");
}

TEST_F(RecorderDelivery, ReportsACrash) {
  env["STAND_IN"] = "crash";
  EXPECT_THAT(Warning(), AnyOf(StartsWith("flaky: `flaky deliver` gave no answer; "),
                               HasSubstr("Sanitizer")));  // a sanitizer prints its own report
}

TEST_F(RecorderDelivery, IsNotHeldUpByAFlood) {
  env["STAND_IN"] = "flood";
  EXPECT_EQ(Warning(), "flaky: line 0 of very many lines\n");
}

TEST_F(RecorderDelivery, TheKernelEndsAProgramThatHangs) {
  env["FLAKY_TESTS_DELIVERY_TIMEOUT"] = "1";
  env["STAND_IN"] = "hang";
  EXPECT_THAT(Warning(),
              AllOf(StartsWith("flaky: `flaky deliver` did not end within 1 s (FLAKY_TESTS_DELIVERY_TIMEOUT); "),
                    HasSubstr(spool().string())));
  EXPECT_GE(took_.count(), 1.0);
  EXPECT_LT(took_.count(), 60.0) << "a generous bound, because the machine may stall";
  std::filesystem::remove_all(spool());
  env["STAND_IN"] = "close and hang";
  EXPECT_THAT(Warning(), StartsWith("flaky: `flaky deliver` gave no answer; "));
}

TEST_F(RecorderDelivery, IsNotWaitedForLongerThanTheWait) {
  env["STAND_IN"] = "hang";
  env["FLAKY_TESTS_DELIVERY_TIMEOUT"] = "2";
  for (const char* wait : {"0", "100"}) {
    env["FLAKY_TESTS_DELIVERY_WAIT"] = wait;
    EXPECT_EQ(Warning(), "") << "the delivery may still succeed";
    std::filesystem::remove_all(spool());
  }
}

TEST_F(RecorderDelivery, IsNotHeldUpByAProcessThatTheProgramLeaves) {
  env["FLAKY_TESTS_DELIVERY_TIMEOUT"] = "5";  // the program itself must end within this time
  env["STAND_IN"] = "leave a child";
  EXPECT_EQ(Warning(), "") << "the program itself succeeded, and said so";
  EXPECT_LT(took_.count(), 60.0) << "the process that was left keeps stderr open for 120 s";
}

TEST_F(RecorderDelivery, WorksIfTheTestsIgnoreOrReapAllChildren) {
  for (const char* test : {"Process.IgnoresItsChildren", "Process.ReapsAllChildren"}) {
    env["FLAKY_TESTS_DELIVERY_TIMEOUT"] = kGenerous;
    env["STAND_IN"] = "succeed";
    EXPECT_EQ(Warning(test), "") << test;
    std::filesystem::remove_all(spool());
    env["STAND_IN"] = "fail";
    EXPECT_THAT(Warning(test), HasSubstr("be reached")) << test;
    std::filesystem::remove_all(spool());
    env["STAND_IN"] = "hang";
    env["FLAKY_TESTS_DELIVERY_TIMEOUT"] = "1";
    EXPECT_THAT(Warning(test), HasSubstr("did not end")) << test;
    std::filesystem::remove_all(spool());
  }
}

TEST_F(RecorderDelivery, NamesAProgramThatDoesNotExist) {
  for (const char* program : {"/nonexistent/flaky", "no-such-program", "./relative", "/tmp"}) {
    env["FLAKY_TESTS_PROGRAM"] = program;
    // A word alone may be a secret in the wrong place.
    const std::string text = program;
    const std::string shown = text.find('/') == text.npos ? "" : " `" + text + "`";
    EXPECT_THAT(Warning(), AllOf(StartsWith("flaky: invalid FLAKY_TESTS_PROGRAM" + shown + "; expected an"),
                                 HasSubstr("the results stay in " + spool().string()), EndsWith("\n")));
    std::filesystem::remove_all(spool());
  }
}

TEST_F(RecorderDelivery, NamesAProgramThatCannotBeStarted) {
  const std::filesystem::path program = folder() / "program";
  std::ofstream(program) << "this is not a program";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  env["FLAKY_TESTS_PROGRAM"] = program.string();
  EXPECT_THAT(Warning(), StartsWith("flaky: cannot start " + program.string() + ": Exec format error; "));
}

TEST_F(RecorderDelivery, FindsTheProgramInThePathOfTheStart) {
  std::filesystem::create_directory(folder() / "bin");
  std::filesystem::create_symlink(std::string(FLAKY_FIXTURES) + "/stand_in_flaky", folder() / "bin/stand-in");
  env["FLAKY_TESTS_PROGRAM"] = "stand-in";
  env["PATH"] = "/nonexistent::bin:/usr/bin";  // `bin` is relative to the working folder at the start
  Run("behaviours", {"--gtest_filter=Process.LeavesItsFolderAndEnvironment"});
  EXPECT_THAT(Notes(), Contains("argument deliver"));
}

TEST_F(RecorderDelivery, WithoutDescriptorsTheJournalStays) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer needs descriptors itself";
  const Outcome outcome = Run("behaviours", {"--gtest_filter=Limits.NoDescriptors:Limits.Next"});
  EXPECT_EQ(ExitStatus(outcome), 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("the recording is incomplete: Too many open files"),
                                 ContainsRegex("cannot start [^ ]+: Too many open files")));
  EXPECT_EQ(TheJournal().End(), false);
}

TEST_F(RecorderDelivery, StartsInTheRootIfTheFolderOfTheStartIsGone) {
  std::filesystem::create_directory(folder() / "gone");
  in_child = [this] {
    if (chdir((folder() / "gone").c_str()) != 0) _exit(126);
  };
  EXPECT_EQ(Warning("Process.RemovesItsFolder"), "");
  EXPECT_THAT(Notes(), Contains("folder /"));
}

TEST_F(RecorderDelivery, HappensOncePerRunOfAMain) {
  env["FIXTURE_RUNS"] = "2";
  env["FIXTURE_STATUS"] = "0";
  EXPECT_EQ(ExitStatus(Run("own_main")), 0);
  const std::vector<std::string> notes = Notes();
  EXPECT_EQ(std::count(notes.begin(), notes.end(), "argument deliver"), 2);
}

TEST_F(RecorderDelivery, DoesNotHappenAfterAnExitWithinATest) {
  EXPECT_EQ(ExitStatus(Run("behaviours", {"--gtest_filter=Ends.ByExit3"})), 3);
  EXPECT_THAT(Notes(), IsEmpty());
}

}  // namespace
}  // namespace flaky
