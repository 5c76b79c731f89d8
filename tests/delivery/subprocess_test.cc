// SPDX-License-Identifier: MIT
#include "delivery/subprocess.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace flaky {
namespace {

using Clock = std::chrono::steady_clock;

CommandOutput RunScript(const std::string& script, Clock::duration patience = std::chrono::seconds(60)) {
  return RunCommand({"sh", "-c", script}, ThisEnvironment(), Clock::now() + patience, 1 << 20);
}

TEST(RunCommand, ReturnsTheOutputAndTheStatus) {
  const CommandOutput fine = RunScript("echo one; echo two >&2");
  EXPECT_EQ(fine.text, "one\n");
  EXPECT_TRUE(fine.succeeded);
  EXPECT_FALSE(RunScript("exit 3").succeeded);
  EXPECT_FALSE(RunScript("kill -9 $$").succeeded);
}

// The status is known only at the end.
TEST(RunCommand, WaitsForOneThatHasClosedItsOutput) {
  EXPECT_TRUE(RunScript("exec >&-; sleep 0.2").succeeded);
  EXPECT_FALSE(RunScript("exec >&-; sleep 0.2; exit 3").succeeded);
}

TEST(RunCommand, EndsOneThatHasClosedItsOutputAtTheDeadline) {
  const auto begin = Clock::now();
  EXPECT_FALSE(RunScript("exec >&-; sleep 1000", std::chrono::milliseconds(300)).succeeded);
  EXPECT_GE(Clock::now() - begin, std::chrono::milliseconds(300));
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(500));
}

}  // namespace
}  // namespace flaky
