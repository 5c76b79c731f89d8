// SPDX-License-Identifier: MIT

// The whole path: a test program with the recorder, the program that it delivers with, an SQLite file, and the commands
// that read it.

#include <gmock/gmock.h>
#include <signal.h>

#include <nlohmann/json.hpp>

#include "tests/cli/program_fixture.h"

namespace flaky {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

class EndToEndTest : public ProgramTest {
 protected:
  EndToEndTest() {
    Unset("GTEST_OUTPUT");
    Set("FLAKY_TESTS_DELIVERY_WAIT", kLongWait);
  }

  struct TestRun {
    int status = 0;  // as waitpid returns it
    std::string err;
  };

  // Runs the fixture program `behaviours` in `folder`, with the recorder as users have it: the compiled-in program
  // delivers.
  TestRun RunTests(const std::string& filter, const std::vector<std::string>& more = {},
                   const std::string& folder = "work") {
    std::vector<std::string> arguments = {FLAKY_FIXTURES "/behaviours", "--gtest_filter=" + filter};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Execute(arguments, folder);
  }

  TestRun Execute(const std::vector<std::string>& arguments, const std::string& folder) {
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    std::filesystem::create_directories(Path(folder));
    const pid_t child = ::fork();
    if (child == 0) {
      const bool ready = ::chdir(Path(folder).c_str()) == 0 && std::freopen("/dev/null", "w", stdout) != nullptr &&
                         std::freopen(Path("stderr").c_str(), "w", stderr) != nullptr;
      if (ready) ::execvp(argv[0], argv.data());
      ::_exit(127);
    }
    TestRun run;
    EXPECT_EQ(::waitpid(child, &run.status, 0), child);
    run.err = Content(Path("stderr"));
    return run;
  }

  static json Runs() { return json::parse(Run({"runs", "--all", "--json"}).out)["runs"]; }
  static json Show(const std::string& run) { return json::parse(Run({"show", run, "--json"}).out); }

  std::vector<std::filesystem::path> Spooled() const {
    std::vector<std::filesystem::path> journals;
    const std::filesystem::path spool = Path("home/.local/state/flaky/spool");
    if (!std::filesystem::exists(spool)) return journals;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(spool)) {
      if (entry.path().extension() == ".jsonl") journals.push_back(entry.path());
    }
    return journals;
  }
};

TEST_F(EndToEndTest, ASingleProcessIsARunAtItsEnd) {
  const TestRun tests = RunTests("Plain.Passes:Plain.Fails:Plain.Skips");
  EXPECT_EQ(tests.status, 1 << 8);
  EXPECT_EQ(tests.err, "");
  EXPECT_TRUE(std::filesystem::exists(Path("h.db"))) << "delivered before any command ran";
  EXPECT_THAT(Spooled(), IsEmpty());

  const json runs = Runs();
  ASSERT_THAT(runs, SizeIs(1));
  EXPECT_EQ(runs[0]["status"], "fail");
  EXPECT_EQ(runs[0]["total_tests"], 3);
  EXPECT_EQ(runs[0]["passed_tests"], 1);
  EXPECT_EQ(runs[0]["failed_tests"], 1);
  EXPECT_EQ(runs[0]["project"], "demo");
  const json run = Show("latest");
  ASSERT_THAT(run["failures"], SizeIs(2)) << "two failed assertions of one test";
  EXPECT_EQ(run["failures"][0]["test_name"], "Plain.Fails");
  EXPECT_EQ(run["failures"][0]["failure_kind"], "assertion");
  EXPECT_THAT(run["failures"][0]["test_file"].get<std::string>(), testing::EndsWith("tests/fixtures/behaviours.cc"));
}

// In each of these the process ends within a test, sometimes with status 0.
TEST_F(EndToEndTest, ATestThatEndsItsProcessIsNamedByTheNextCommand) {
  const struct {
    const char* test;
    int status;
    bool failed;  // else no process could observe what ended it
  } cases[] = {
      {"Ends.ByKill", SIGKILL, false}, {"Ends.ByAbort", SIGABRT, false}, {"Ends.ByExit0", 0, true},
      {"Ends.ByExit3", 3 << 8, true},  {"Ends.BySilentExit0", 0, false},
  };
  for (const auto& c : cases) {
    const int status = RunTests(std::string("Plain.Passes:") + c.test + ":Ends.NotReached").status;
    EXPECT_EQ(status & ~0x80, c.status) << c.test;  // a core dump or not
    EXPECT_THAT(Spooled(), SizeIs(1)) << c.test;
    const json run = Show("latest");
    EXPECT_THAT(Spooled(), IsEmpty()) << c.test;
    EXPECT_EQ(run["run"]["passed_tests"], 1) << c.test;
    EXPECT_NE(run["run"]["ended_at"], nullptr) << c.test;
    if (!c.failed) {
      EXPECT_EQ(run["parts"][0]["ended_early"][0]["test"], c.test);
      EXPECT_EQ(run["parts"][0]["ended_early"][0]["cause"], "unknown") << c.test;
      continue;
    }
    EXPECT_EQ(run["run"]["status"], "fail") << c.test;
    EXPECT_EQ(run["run"]["failed_tests"], 1) << c.test;
    ASSERT_FALSE(run["failures"].empty()) << c.test;
    const json& end = run["failures"].back();  // after the assertions that failed before it
    EXPECT_EQ(end["test_name"], c.test);
    EXPECT_EQ(end["failure_kind"], "uncaught") << c.test;
    EXPECT_EQ(end["preceding_test"], "Plain.Passes") << c.test;
  }
  EXPECT_THAT(Runs(), SizeIs(std::size(cases)));
}

TEST_F(EndToEndTest, DeliveriesWithOneRunIdAreOneRunEvenIfOneIsRepeated) {
  Set("FLAKY_TESTS_RUN_ID", "nightly/42 'x'");
  RunTests("Plain.Passes", {}, "one");
  // The second one is kept in the spool, to be delivered by a command, twice.
  Set("FLAKY_TESTS_DELIVERY_TIMEOUT", "0");
  RunTests("Plain.Fails:Plain.Passes", {}, "two");
  Unset("FLAKY_TESTS_DELIVERY_TIMEOUT");
  ASSERT_THAT(Spooled(), SizeIs(1));
  const std::filesystem::path journal = Spooled()[0], copy = Path("kept.jsonl");
  std::filesystem::copy_file(journal, copy);
  RunTests("Plain.Skips", {}, "three");
  EXPECT_THAT(Spooled(), IsEmpty());
  const json before = Show("nightly");
  std::filesystem::copy_file(copy, journal);
  EXPECT_EQ(Run({"deliver"}).code, 0);
  EXPECT_THAT(Spooled(), IsEmpty());
  EXPECT_EQ(Show("nightly"), before) << "the same part twice adds nothing";

  ASSERT_THAT(Runs(), SizeIs(1));
  EXPECT_EQ(before["run"]["run_id"], "nightly/42 'x'");
  EXPECT_EQ(before["run"]["total_tests"], 4);
  EXPECT_EQ(before["run"]["passed_tests"], 2);
  EXPECT_EQ(before["run"]["failed_tests"], 1);
  EXPECT_EQ(before["run"]["status"], "fail");
  EXPECT_THAT(before["parts"], SizeIs(3));
  EXPECT_THAT(before["failures"], SizeIs(2)) << "two failed assertions of one test";
}

TEST_F(EndToEndTest, AnUnreachableStoreChangesNothingAndLosesNothing) {
  Set("FLAKY_TESTS_DB", Path("no/such/folder.db"));
  const TestRun passing = RunTests("Plain.Passes"), failing = RunTests("Plain.Fails");
  EXPECT_EQ(passing.status, 0);
  EXPECT_EQ(failing.status, 1 << 8);
  for (const TestRun& run : {passing, failing}) {
    EXPECT_THAT(run.err, StartsWith("flaky: "));
    EXPECT_THAT(run.err, HasSubstr(Path("no/such")));
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  }
  EXPECT_THAT(Spooled(), SizeIs(2));
  Set("FLAKY_TESTS_DB", Path("h.db"));
  EXPECT_THAT(Runs(), SizeIs(2));
  EXPECT_THAT(Spooled(), IsEmpty());
}

TEST_F(EndToEndTest, RepetitionsAreAttempts) {
  EXPECT_EQ(RunTests("Repeat.*", {"--gtest_repeat=3"}).status, 1 << 8);
  const json run = Show("latest");
  EXPECT_EQ(run["run"]["status"], "fail");
  EXPECT_EQ(run["run"]["total_tests"], 1);
  EXPECT_EQ(run["run"]["failed_tests"], 1);
  ASSERT_THAT(run["failures"], SizeIs(1));
  EXPECT_EQ(run["failures"][0]["attempt"], 1);
}

TEST_F(EndToEndTest, FailuresOutsideTestsAreCountedAsSuch) {
  RunTests("SuiteSetUp.*");
  const json run = Show("latest");
  EXPECT_EQ(run["run"]["status"], "fail");
  EXPECT_EQ(run["run"]["errors_between_tests"], 2) << "set-up and tear-down";
  EXPECT_EQ(run["run"]["failed_tests"], 0);
  ASSERT_THAT(run["failures"], SizeIs(2));
  EXPECT_EQ(run["failures"][0]["test_name"], "SuiteSetUp");
}

TEST_F(EndToEndTest, HostileTextArrivesAsTextThatEveryStoreCanHold) {
  RunTests("Names.*:Text.NotUtf8:Text.FiveMegabytes");
  const json run = Show("latest");  // throws unless it is UTF-8
  EXPECT_EQ(run["run"]["total_tests"], 4 + 2) << "Names.Twice is one test with two attempts";
  for (const json& failure : run["failures"]) {
    EXPECT_LT(failure["error_message"].get<std::string>().size(), 66'000u);
  }
}

TEST_F(EndToEndTest, ListingTestsLeavesNothing) {
  const auto before = Everything();
  EXPECT_EQ(RunTests("*", {"--gtest_list_tests"}).status, 0);
  std::filesystem::remove(Path("stderr"));
  EXPECT_EQ(Everything(), before);
}

TEST_F(EndToEndTest, DeathTestsAndTheirChildrenAreOneRun) {
  for (const char* style : {"fast", "threadsafe"}) {
    RunTests("DeathTest.Exits:DeathTest.Aborts", {std::string("--gtest_death_test_style=") + style});
    EXPECT_THAT(Spooled(), IsEmpty());
    const json run = Show("latest");
    EXPECT_EQ(run["run"]["total_tests"], 2) << style;
    EXPECT_EQ(run["run"]["status"], "pass") << style;
  }
  EXPECT_THAT(Runs(), SizeIs(2));
}

// No process under ctest delivers. After ctest has ended, all of them are one run and one part.
TEST_F(EndToEndTest, TheTestsOfOneCtestAreOneRun) {
  const std::string program = FLAKY_FIXTURES "/behaviours";
  std::string list;
  for (const char* test : {"Plain.Passes", "Plain.Fails", "Plain.Skips", "Ends.ByKill"}) {
    list += "add_test([=[" + std::string(test) + "]=] \"" + program + "\" \"--gtest_filter=" + test + "\")\n";
  }
  WriteFile("tree/CTestTestfile.cmake", list);
  Set("FLAKY_TESTS_DELIVERY_TIMEOUT", "0");  // only the next command delivers
  EXPECT_NE(Execute({"ctest", "-j2"}, "tree").status, 0);
  Unset("FLAKY_TESTS_DELIVERY_TIMEOUT");
  EXPECT_FALSE(std::filesystem::exists(Path("h.db")));
  EXPECT_THAT(Spooled(), SizeIs(4));

  const json runs = Runs();
  ASSERT_THAT(runs, SizeIs(1));
  EXPECT_EQ(runs[0]["total_tests"], 3) << "nothing observed the end of the fourth";
  EXPECT_EQ(runs[0]["passed_tests"], 1);
  EXPECT_EQ(runs[0]["failed_tests"], 1);
  EXPECT_EQ(runs[0]["missing_tests"], 1);
  const json run = Show("latest");
  EXPECT_THAT(run["parts"], SizeIs(1));
  EXPECT_THAT(run["failures"], SizeIs(2)) << "two assertions";
  EXPECT_EQ(run["parts"][0]["ended_early"][0]["test"], "Ends.ByKill");
}

TEST_F(EndToEndTest, TheWholeHistoryCanBeMoved) {
  RunTests("Plain.*");
  RunTests("Ends.ByKill");
  EXPECT_EQ(Run({"migrate-store", "--from", "sqlite:" + Path("h.db"), "--to", "sqlite:" + Path("second.db")}).code, 0);
  const json first = Runs();
  EXPECT_THAT(first, SizeIs(2)) << "pending results were delivered before the copy";
  Set("FLAKY_TESTS_DB", Path("second.db"));
  EXPECT_EQ(Runs(), first);
}

}  // namespace
}  // namespace flaky
