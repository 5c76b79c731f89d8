// SPDX-License-Identifier: MIT

// Failures from other threads, at any time.

#include <gmock/gmock.h>

#include <set>

#include "tests/recorder/fixture_run.h"

namespace flaky {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RecorderThreads : public FixtureTest {};

TEST_F(RecorderThreads, ALateFailureBelongsToTheTestThatRan) {
  ExpectSameAsPlain("LateThread.*");
  const Recorded journal = TheJournal();
  EXPECT_EQ(journal.OutcomeOf("LateThread.Starts"), "passed");
  EXPECT_EQ(journal.OutcomeOf("LateThread.IsCharged"), "failed");
  EXPECT_THAT(journal.MessagesOf("LateThread.IsCharged"), ElementsAre(HasSubstr("late")));
}

TEST_F(RecorderThreads, FailuresAtTheSameTimeAreAllKept) {
  Run("behaviours", {"--gtest_filter=Threads.FailTogether"});
  const std::vector<std::string> messages = TheJournal().MessagesOf("Threads.FailTogether");
  EXPECT_EQ(messages.size(), 400u);
  EXPECT_EQ(std::set<std::string>(messages.begin(), messages.end()).size(), 400u);
}

// The thread fails while tests end and begin. A failure during a test belongs to the test, a failure between two tests
// to the suite. None is lost, recorded twice or torn.
TEST_F(RecorderThreads, FailuresWhileTestsEndAreAllKept) {
  Run("behaviours", {"--gtest_filter=Many/Window.*"});
  const Recorded journal = TheJournal();
  std::multiset<std::string> seen;
  int results = 0, between = 0;
  for (const auto& line : journal.lines) {
    if (line.is_array()) {
      ++results;
      bool failures = false;
      for (const auto& value : line) {
        if (value.is_object() && value.contains("message")) seen.insert(value["message"].get<std::string>()), failures = true;
      }
      // The reverse does not hold: GoogleTest may charge a failure to a test just before the test's line begins.
      EXPECT_TRUE(!failures || line[line.size() - 2] == "failed") << line;
    } else if (line.contains("failure")) {
      ++between;
      EXPECT_EQ(line.at("suite"), "Many/Window");
      seen.insert(line["failure"]["message"].get<std::string>());
    }
  }
  EXPECT_EQ(results, 200);
  EXPECT_LT(between, 600) << "no failure happened during a test, so this run shows nothing";
  ASSERT_EQ(seen.size(), 600u);
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 600u);
  EXPECT_EQ(journal.End(), false);
}

}  // namespace
}  // namespace flaky
