// SPDX-License-Identifier: MIT

// One command of the user is one run: a ctest, whatever is between it and its tests; and the processes of an MPI
// launcher.

#include <gmock/gmock.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/cli/program_fixture.h"
#include "tests/support/wait_for.h"

namespace flaky {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::Gt;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Lt;
using testing::SizeIs;
using testing::UnorderedElementsAre;

const std::string kCpu = std::string(FLAKY_CASES) + "/one_run_cpu";
const std::string kGpu = std::string(FLAKY_CASES) + "/one_run_gpu";
const std::string kAdds = kCpu + " --gtest_filter=Backend.Adds";

class OneRunTest : public ProgramTest {
 protected:
  OneRunTest() {
    Set("FLAKY_TESTS_PROGRAM", FLAKY_PROGRAM);
    Set("FLAKY_TESTS_SPOOL", Path("spool"));
    Set("FLAKY_TESTS_DELIVERY_WAIT", kLongWait);
    Unset("GTEST_OUTPUT");
  }

  // Each command is the end of an add_test.
  void AddTests(const std::vector<std::string>& commands, const std::string& properties = "") const {
    std::string text;
    for (size_t at = 0; at < commands.size(); ++at) {
      const std::string name = "t" + std::to_string(at);
      text += "add_test(" + name + ' ' + commands[at] + ")\n";
      if (!properties.empty()) text += "set_tests_properties(" + name + " PROPERTIES " + properties + ")\n";
    }
    WriteFile("build/CTestTestfile.cmake", text);
  }
  int Shell(const std::string& command) const {
    const int status = std::system(("(" + command + ") > '" + Path("out") + "' 2> '" + Path("err") + "'").c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::string Ctest() const { return "ctest --test-dir " + Path("build") + " -j3"; }
  static json Runs() { return json::parse(Run({"runs", "--all", "--json"}).out)["runs"]; }
  static json Latest() { return json::parse(Run({"show", "latest", "--all", "--json"}).out); }

  // What may be between a ctest and a test.
  std::vector<std::string> Wrapped() const {
    WriteFile("run.cmake", "execute_process(COMMAND " + kAdds + ")\n");
    WriteFile("run.sh", "#!/bin/sh\n" + kAdds + "\nexit 0\n");
    std::filesystem::permissions(Path("run.sh"), std::filesystem::perms::owner_all);
    std::filesystem::create_directories(Path("empty"));
    return {kAdds,
            "cmake -E env A=1 " + kAdds,
            "cmake -P " + Path("run.cmake"),
            "sh -c \"true; " + kAdds + "; true\"",
            "bash -c \"(" + kAdds + "); true\"",
            Path("run.sh"),
            "nice timeout 100 " + kAdds,
            "setsid -w " + kAdds,
            "ctest --build-and-test " + Path("empty") + ' ' + Path("empty") +
                " --build-generator Ninja --build-nocmake --build-makeprogram true --test-command " + kAdds};
  }
};

TEST_F(OneRunTest, ACtestAboveWrappers) {
  const std::vector<std::string> wrapped = Wrapped();
  AddTests(wrapped);
  EXPECT_EQ(Shell(Ctest()), 0) << Content(Path("out"));
  WaitFor("the delivery of all journals", [&] { return InSpool().empty(); });
  ASSERT_THAT(Runs(), SizeIs(1)) << "no process delivered by itself";
  EXPECT_THAT(Latest()["parts"], SizeIs(1));
  const json run = Latest()["run"];
  EXPECT_EQ(run["total_tests"], 1);

  EXPECT_EQ(Shell(std::string(FLAKY_PROGRAM) + " run -- " + Ctest()), 0);
  EXPECT_EQ(Content(Path("err")), "");
  ASSERT_THAT(Runs(), SizeIs(2));
  EXPECT_THAT(Latest()["parts"], SizeIs(2)) << "the tests, and the command";
}

TEST_F(OneRunTest, ACtestOfAnotherName) {
  AddTests({kAdds, "sh -c \"" + kAdds + "; true\""});
  Shell("ln -s $(which ctest) " + Path("ctest3") + "; ln -s $(which ctest) " + Path("my-ctest"));
  for (const char* name : {"ctest3", "my-ctest"}) {
    EXPECT_EQ(Shell(Path(name) + " --test-dir " + Path("build")), 0);
    WaitFor("the delivery of all journals", [&] { return InSpool().empty(); });
    EXPECT_THAT(Latest()["parts"], SizeIs(1)) << name;
  }
  EXPECT_THAT(Runs(), SizeIs(2));
  // A program with such a name is not a ctest.
  WriteFile("ctest_helper", "#!/bin/sh\n" + kAdds + "\nexit 0\n");
  std::filesystem::permissions(Path("ctest_helper"), std::filesystem::perms::owner_all);
  EXPECT_EQ(Shell(Path("ctest_helper")), 0);
  EXPECT_THAT(InSpool(), IsEmpty());
  EXPECT_THAT(Runs(), SizeIs(3));
}

TEST_F(OneRunTest, ACtestWithinACtest) {
  WriteFile("inner/CTestTestfile.cmake", "add_test(one " + kAdds + ")\nadd_test(two " + kAdds + ")\n");
  AddTests({kAdds, "ctest --test-dir " + Path("inner")});
  EXPECT_EQ(Shell(Ctest()), 0);
  WaitFor("the delivery of all journals", [&] { return InSpool().empty(); });
  ASSERT_THAT(Runs(), SizeIs(1));
  EXPECT_THAT(Latest()["parts"], SizeIs(1));
}

TEST_F(OneRunTest, AFlakyRunWithinACtestDeliversItsOwn) {
  AddTests({std::string(FLAKY_PROGRAM) + " run -- " + kAdds});
  EXPECT_EQ(Shell(Ctest()), 0);
  EXPECT_THAT(InSpool(), IsEmpty());
  EXPECT_THAT(Runs(), SizeIs(1));
}

TEST_F(OneRunTest, ATimeLimitIsKnownThroughWrappers) {
  const std::string slow = kCpu + " --gtest_filter=Slow.NeverEnds";
  AddTests(
      {"cmake -E env A=1 " + slow, "sh -c \"sleep 0.3; " + slow + "; true\"", "nice " + slow, "sh -c \"" + slow + "\""},
      "TIMEOUT 1");
  EXPECT_EQ(Shell(std::string(FLAKY_PROGRAM) + " run -- " + Ctest() + " -j4"), 8);
  const json failures = Latest()["failures"];
  ASSERT_THAT(failures, SizeIs(4));
  for (const json& failure : failures) {
    EXPECT_EQ(failure["failure_kind"], "timeout");
    EXPECT_EQ(failure["error_message"], "did not finish: the process was ended at its time limit of 1 s in this test");
  }
}

TEST_F(OneRunTest, TwoProgramsWithTestsOfTheSameNames) {
  const std::string backend = " --gtest_filter=Backend.*";
  AddTests({kCpu + backend, kGpu + backend});
  EXPECT_EQ(Shell(std::string(FLAKY_PROGRAM) + " run -- " + Ctest()), 8);
  const json latest = Latest();
  EXPECT_EQ(latest["run"]["total_tests"], 4);
  EXPECT_EQ(latest["run"]["passed_tests"], 3);
  EXPECT_EQ(latest["run"]["failed_tests"], 1);
  ASSERT_THAT(latest["failures"], SizeIs(1));
  EXPECT_EQ(latest["failures"][0]["attempt"], 0) << "not a second attempt of the other program";
  EXPECT_THAT(latest["flaky"], IsEmpty());
}

TEST_F(OneRunTest, RanksAreNotAttempts) {
  const std::string ranks =
      "for rank in 0 1 2; do PMI_RANK=$rank PMI_SIZE=3 " + kCpu + " --gtest_filter=Ranks.* & done; wait; exit 1";
  for (const std::string& under : {std::string(), Ctest()}) {
    if (!under.empty()) AddTests({"sh -c \"" + ranks + "\""});
    WriteFile("ranks.sh", ranks);
    const int code =
        Shell(std::string(FLAKY_PROGRAM) + " run -- " + (under.empty() ? "sh " + Path("ranks.sh") : under));
    EXPECT_THAT(code, AllOf(Gt(0), Lt(9)));
    const json latest = Latest();
    EXPECT_EQ(latest["run"]["total_tests"], 3) << under;
    EXPECT_EQ(latest["run"]["errors_between_tests"], 0);
    std::vector<std::string> stacks;
    std::set<std::string> variants;
    for (const json& part : latest["parts"]) {
      if (part["total_tests"] == 1) variants.insert(part["variant"]);
    }
    EXPECT_THAT(variants, SizeIs(1));
    for (const json& failure : latest["failures"]) {
      EXPECT_EQ(failure["attempt"], 0);
      const std::string stack = failure["error_stack"];
      stacks.push_back(stack.substr(stack.rfind('\n') + 1));
    }
    EXPECT_THAT(stacks, UnorderedElementsAre("rank 1 of 3", "rank 2 of 3"));
    EXPECT_THAT(latest["flaky"], IsEmpty()) << "each rank always does the same";
  }
}

TEST_F(OneRunTest, ALoneRankOfABatchJobIsNotNamed) {
  Set("SLURM_PROCID", "0");
  EXPECT_EQ(Shell(kCpu + " --gtest_filter=Backend.Adds"), 0);
  const std::string variant = Latest()["parts"][0]["variant"];
  EXPECT_EQ(variant.find("rank"), std::string::npos) << variant;
  Unset("SLURM_PROCID");
}

}  // namespace
}  // namespace flaky
