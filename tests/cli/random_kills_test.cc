// SPDX-License-Identifier: MIT

// Test programs that are killed at random moments: each test that was seen to end is in the history, exactly once.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "stores/open.h"
#include "tests/cli/program_fixture.h"
#include "tests/support/part_counts.h"
#include "tests/support/soak.h"

namespace flaky {
namespace {

using std::chrono::microseconds;

constexpr int kTests = 6000, kFailing = 300, kAtOnce = 4;

// What a program printed. GoogleTest's printer is notified of a test's end after the recorder, and of its start before
// the recorder. So the printed ends must be in the history, whatever the recorder itself believes.
struct Printed {
  std::map<std::string, bool> failed;  // by name of a test whose end was printed
  std::string open;                    // the test that began last, if its end was not printed
};

Printed ReadPrinted(const std::string& text) {
  Printed printed;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line) && !lines.eof();) {  // a line that was cut is ignored
    const auto name = [&] { return line.substr(13, line.find(' ', 13) - 13); };
    if (line.starts_with("[ RUN      ] ")) printed.open = name();
    const bool passed = line.starts_with("[       OK ] "), failed = line.starts_with("[  FAILED  ] Suite");
    if (!passed && !(failed && line.ends_with(" ms)"))) continue;
    printed.failed[name()] = failed;
    printed.open.clear();
  }
  return printed;
}

class RandomKills : public ProgramTest {
 protected:
  RandomKills() {
    // Names itself before it becomes the program, so that a delivery in its own session can be killed, too.
    WriteFile("deliver",
              "#!/bin/sh\necho $$ > '" + Path("pid-") + "'$FLAKY_TESTS_RUN_ID\nexec '" FLAKY_PROGRAM "' \"$@\"\n");
    std::filesystem::permissions(Path("deliver"), std::filesystem::perms::owner_all);
    Set("FLAKY_TESTS_PROGRAM", Path("deliver"));
    Set("FLAKY_TESTS_DELIVERY_WAIT", kLongWait);
    Set("FLAKY_TESTS_SPOOL", Path("spool"));
    Set("MANY_TESTS", std::to_string(kTests));
    Set("MANY_FAILURES", std::to_string(kFailing));
    Unset("GTEST_OUTPUT");
  }

  static std::string RunId(int64_t number) { return "run-" + std::to_string(number); }
  std::string OutputOf(int64_t number) const { return Path("out-" + std::to_string(number)); }

  // Kills the delivery that a program may have started at its end.
  void KillDeliveryOf(int64_t number) const {
    const std::string pid = Content(Path("pid-" + RunId(number)));
    if (pid.ends_with('\n')) ::kill(std::stoi(pid), SIGKILL);
  }

  pid_t Start(int64_t number) const {
    const pid_t child = ::fork();
    if (child != 0) return child;
    ::setenv("FLAKY_TESTS_RUN_ID", RunId(number).c_str(), 1);
    std::FILE* out = std::freopen(OutputOf(number).c_str(), "w", stdout);
    std::FILE* err = std::freopen("/dev/null", "w", stderr);
    if (out != nullptr && err != nullptr) ::execl(FLAKY_FIXTURES "/many_tests", "many_tests", nullptr);
    ::_exit(99);
  }

  // Compares the history of one program with what it printed. Returns true if it died within its tests.
  static bool Check(const std::optional<RunRecord>& record, const Printed& printed) {
    if (!record) {
      EXPECT_TRUE(printed.failed.empty()) << "the run is not in the history";
      return false;
    }
    EXPECT_EQ(record->parts.size(), 1u);
    std::map<std::string, std::vector<std::string>> failures;
    for (const Failure& failure : record->failures) {
      failures[failure.test_name].push_back(failure.error_message.value_or(""));
    }
    const Counts roster = CountsOf(*record);
    for (const auto& [test, failed] : printed.failed) {
      const auto entry = roster.find(test);
      if (entry == roster.end()) {
        ADD_FAILURE() << test << " is not in the history";
        continue;
      }
      EXPECT_EQ(entry->second, (TestCounts{1, 0})) << test;
      EXPECT_EQ(failures[test].size(), failed ? 1u : 0u) << test;
    }
    // The history may have one more test: the one that was running.
    size_t beyond = 0;
    for (const auto& [test, entry] : roster) {
      if (printed.failed.contains(test)) continue;
      ++beyond;
      EXPECT_EQ(test, printed.open);
      EXPECT_EQ(entry, (TestCounts{1, 0}));
    }
    EXPECT_LE(beyond, 1u);
    EXPECT_TRUE(record->run.account.ended_at);
    const std::optional<std::string>& early = record->parts.at(0).ended_early;
    if (!early) return false;
    const std::string of_test = R"([{"cause":"unknown","test":")" + printed.open + R"(","program":"many_tests"}])";
    EXPECT_TRUE(early == of_test || early == R"([{"cause":"unknown","program":"many_tests"}])")
        << *early << " instead of " << printed.open;
    return true;
  }
};

TEST_F(RandomKills, EveryPrintedEndIsInTheHistoryOnce) {
  const int64_t count = SoakCount(60, 1000);
  std::mt19937_64 random(SoakSeed());
  std::fflush(nullptr);  // or every child prints it again
  // How long a program runs if it is not killed. The kills are within that time. The first run may be slow.
  microseconds whole = microseconds::max();
  for (int64_t number = count; number < count + 3; ++number) {
    const auto begin = std::chrono::steady_clock::now();
    ::waitpid(Start(number), nullptr, 0);
    whole = std::min(whole, std::chrono::duration_cast<microseconds>(std::chrono::steady_clock::now() - begin));
  }
  std::uniform_int_distribution<int64_t> moment(0, whole.count());

  for (int64_t first = 0; first < count; first += kAtOnce) {
    std::vector<std::thread> killers;
    for (int64_t number = first; number < std::min(first + kAtOnce, count); ++number) {
      killers.emplace_back([this, number, after = microseconds(moment(random))] {
        const pid_t child = Start(number);
        std::this_thread::sleep_for(after);
        ::kill(child, SIGKILL);
        KillDeliveryOf(number);
        ::waitpid(child, nullptr, 0);
      });
    }
    for (std::thread& killer : killers) killer.join();
  }
  EXPECT_EQ(Run({"deliver"}).code, 0);
  // A program that was killed before its first line may count as running for an hour.
  EXPECT_THAT(Run({"deliver"}).out, testing::StartsWith("nothing to deliver"));

  const std::unique_ptr<Store> store = OpenStore(ParseLocation("sqlite:" + Path("h.db")), OpenMode::kRead);
  int64_t died = 0, in_history = 0, ends = 0;
  for (int64_t number = 0; number < count; ++number) {
    SCOPED_TRACE(RunId(number));
    const std::string id = RunId(number);
    std::vector<RunRecord> records = store->Fetch(std::span(&id, 1));
    ASSERT_LE(records.size(), 1u);
    const Printed printed = ReadPrinted(Content(OutputOf(number)));
    ends += static_cast<int64_t>(printed.failed.size());
    in_history += static_cast<int64_t>(records.size());
    died += Check(records.empty() ? std::nullopt : std::optional(std::move(records[0])), printed) ? 1 : 0;
  }
  std::printf("[   SOAK   ] %lld killed: %lld in a test or between tests, %lld in the history, %lld ends seen\n",
              static_cast<long long>(count), static_cast<long long>(died), static_cast<long long>(in_history),
              static_cast<long long>(ends));
  EXPECT_GT(died, count / 10) << "too few were killed in time to show anything";
}

}  // namespace
}  // namespace flaky
