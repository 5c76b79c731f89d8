// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_CLI_RUN_FIXTURE_H_
#define FLAKY_TESTS_CLI_RUN_FIXTURE_H_

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/cli/program_fixture.h"
#include "tests/support/wait_for.h"

namespace flaky {

inline constexpr char kBehaviours[] = FLAKY_FIXTURES "/behaviours";

class RunTest : public ProgramTest {
 protected:
  RunTest() {
    Set("FLAKY_TESTS_PROGRAM", FLAKY_PROGRAM);
    Set("FLAKY_TESTS_DELIVERY_WAIT", kLongWait);
    Unset("GTEST_OUTPUT");
  }

  // Starts `flaky run` with these arguments; its output goes to files.
  pid_t Start(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {FLAKY_PROGRAM, "run"});
    const pid_t child = ::fork();
    if (child != 0) return child;
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::FILE* out = std::freopen(Path("out").c_str(), "w", stdout);
    std::FILE* err = std::freopen(Path("err").c_str(), "w", stderr);
    if (out != nullptr && err != nullptr) ::execv(FLAKY_PROGRAM, argv.data());
    ::_exit(99);
  }
  static int StatusOf(pid_t child) {
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
  }
  int RunCommand(const std::vector<std::string>& arguments) const { return StatusOf(Start(arguments)); }
  std::string Out() const { return Content(Path("out")); }
  std::string Err() const { return Content(Path("err")); }

  static nlohmann::json Runs() { return nlohmann::json::parse(Run({"runs", "--all", "--json"}).out)["runs"]; }
  static nlohmann::json Latest() { return nlohmann::json::parse(Run({"show", "latest", "--json"}).out); }
};

class CtestTest : public RunTest {
 protected:
  CtestTest() { Set("FLAKY_TESTS_SPOOL", Path("spool")); }

  void AddTests(const std::vector<std::string>& filters) {
    std::string text;
    for (const std::string& filter : filters) {
      text += "add_test(" + filter + " " + kBehaviours + " --gtest_filter=" + filter + ")\n";
    }
    WriteFile("build/CTestTestfile.cmake", text);
  }
  void AwaitDelivery() const {
    WaitFor("the delivery of all journals", [&] { return InSpool().empty(); });
  }
};

}  // namespace flaky

#endif  // FLAKY_TESTS_CLI_RUN_FIXTURE_H_
