#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/program_fixture.h"

namespace flaky {
namespace {

using testing::HasSubstr;

class TrendCommandTest : public ProgramTest {
 protected:
  // Keeps runs on 1, 2 and 4 January 2026, with failures on the last two days.
  void KeepHistory() {
    constexpr int64_t kDay = 86'400;
    std::vector<RunRecord> records;
    const auto add = [&](const std::string& id, int64_t day, const std::vector<std::string>& tests) {
      const Timestamp at = At(day * kDay + 3600);
      BuildRecord builder(id);
      builder.StartedAt(at).Project("demo").Ended(at + kMicrosPerSecond, static_cast<int64_t>(tests.size()));
      for (const std::string& test : tests) builder.Fail(test, "message", day * kDay + 3601);
      records.push_back(builder.Build());
    };
    add("a", 0, {});
    add("b", 1, {"A.A"});
    add("c", 1, {});
    add("d", 3, {"A.A", "A.A", "B.B"});
    Keep(records);
  }
};

TEST_F(TrendCommandTest, CountsByDay) {
  KeepHistory();
  const Outcome outcome = Run({"trend", "--at", "2026-01-04T23:00:00Z", "--days", "4"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out,
            "runs      ▅█ ▅  4\n"
            "failures   ▃ █  4\n"
            "\n"
            "DAY         RUNS  FAILED RUNS  FAILURES  FAILING TESTS\n"
            "2026-01-01     1            0         0              0\n"
            "2026-01-02     2            1         1              1\n"
            "2026-01-03     0            0         0              0\n"
            "2026-01-04     1            1         3              2\n");
}

TEST_F(TrendCommandTest, CountsByWeek) {
  KeepHistory();
  const Outcome outcome = Run({"trend", "--at", "2026-01-05T10:00:00Z", "--days", "5", "--by", "week"});
  EXPECT_EQ(outcome.out,
            "runs      █   4\n"
            "failures  █   4\n"
            "\n"
            "WEEK FROM   RUNS  FAILED RUNS  FAILURES  FAILING TESTS\n"
            "2025-12-29     4            2         4              2\n"
            "2026-01-05     0            0         0              0\n");
}

TEST_F(TrendCommandTest, CountsFailuresOfOneTest) {
  KeepHistory();
  const Outcome outcome = Run({"trend", "B.B", "--at", "2026-01-04T23:00:00Z", "--days", "2"});
  EXPECT_THAT(outcome.out, HasSubstr("2026-01-03     0            0         0              0\n"
                                     "2026-01-04     1            1         1              1\n"));
  const Outcome unknown = Run({"trend", "B", "--at", "2026-01-04T23:00:00Z"});
  EXPECT_EQ(unknown.code, 0);
  EXPECT_EQ(unknown.err, "flaky: no failure of `B` in this period; give the full name, Suite.Test\n");
}

TEST_F(TrendCommandTest, JsonHasThePeriods) {
  KeepHistory();
  const auto json =
      nlohmann::json::parse(Run({"trend", "A.A", "--at", "2026-01-04T23:00:00Z", "--days", "1", "--json"}).out);
  EXPECT_EQ(json, nlohmann::json::parse(R"({"format":1,"all_projects":false,"project":"demo","test":"A.A","by":"day",
    "periods":[{"date":"2026-01-04","runs":1,"failed_runs":1,"failures":2,"failing_tests":1}]})"));
}

TEST_F(TrendCommandTest, ReportsThatAProjectHasNoRuns) {
  KeepHistory();
  const Outcome outcome = Run({"trend", "--project", "absent", "--days", "2"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "flaky: no such runs of project absent (--all includes every project)\n");
}

}  // namespace
}  // namespace flaky
