// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "history/merge.h"
#include "tests/cli/program_fixture.h"
#include "tests/support/part_counts.h"

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

// Runs with rosters: Suite.Test and Suite.Other are executed in each part.
class TrendOfATestTest : public ProgramTest {
 protected:
  void KeepHistory() {
    constexpr int64_t kDay = 86'400;
    const auto run = [](const std::string& id, int64_t start, int64_t failed) {
      return BuildRecord(id).Project("demo").Part(id, start, failed);
    };
    RunRecord other = run("other", 2 * kDay, 0).Build();
    GiveTests(other, {{"Net/0.Pi", {3, 0}}, {"Net/1.Pi", {1, 0}}, {"Net.Skipped", {0, 1}}});
    RunRecord empty = run("empty", 2 * kDay + 9, 0).Build();
    empty.parts[0].roster_id = std::nullopt;
    empty.parts[0].account.total_tests = 0;
    empty.rosters.clear();
    SumParts(empty);
    Keep({run("a", 0, 0).Build(), run("b", kDay, 1).Fail("Suite.Test", "x", kDay).Fail("Suite.Test", "y", kDay).Build(),
          run("c", kDay + 60, 0).Build(), other, empty});
  }
  static Outcome Trend(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "trend");
    arguments.insert(arguments.end(), {"--at", "2026-01-04T23:00:00Z"});
    return Run(arguments);
  }
};

TEST_F(TrendOfATestTest, CountsExecutionsAndBeginsWithTheFirstRun) {
  KeepHistory();
  const Outcome outcome = Trend({"Suite.Test"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out,
            "executed  ▅█    3\n"
            "failed     █    1\n"
            "\n"
            "DAY         RUNS  FAILED RUNS  EXECUTED  FAILED\n"
            "2026-01-01     1            0         1       0\n"
            "2026-01-02     2            1         2       1\n"
            "2026-01-03     0            0         0       0\n"
            "2026-01-04     0            0         0       0\n");
  EXPECT_THAT(Trend({"Suite.Test", "--days", "3"}).out, HasSubstr("  FAILED\n2026-01-02     2 "))
      << "the first run was before";
}

TEST_F(TrendOfATestTest, TakesPatterns) {
  KeepHistory();
  const auto json = nlohmann::json::parse(Trend({"Net*.P?", "--days", "2", "--json"}).out);
  EXPECT_EQ(json["matching_tests"], nlohmann::json::parse(R"(["Net/0.Pi","Net/1.Pi"])"));
  EXPECT_EQ(json["runs_looked_at"], 2);
  EXPECT_EQ(json["runs_without_roster"], 0) << "the other run executed none";
  EXPECT_EQ(json["periods"], nlohmann::json::parse(R"([
    {"date":"2026-01-03","runs":1,"failed_runs":0,"executed":4,"failed":0,"failures":0,"failing_tests":0},
    {"date":"2026-01-04","runs":0,"failed_runs":0,"executed":0,"failed":0,"failures":0,"failing_tests":0}])"));
  EXPECT_THAT(Trend({"Net*"}).out, HasSubstr("\nall 3 tests that match are counted together\n"));
  EXPECT_EQ(Trend({"Net.Skipped"}).code, 0) << "known, although it was never executed";
}

TEST_F(TrendOfATestTest, AnUnknownTestIsReportedWithSuggestions) {
  KeepHistory();
  const Outcome part = Trend({"Pi"});
  EXPECT_EQ(part.code, 6);
  EXPECT_EQ(part.out, "");
  EXPECT_EQ(part.err,
            "flaky: unknown test `Pi`: no test of that name was executed in 5 runs of the last 30 days; did you mean "
            "`Net/0.Pi` or `Net/1.Pi`?\n");
  EXPECT_THAT(Trend({"Suite.Tset"}).err, HasSubstr("did you mean `Suite.Test`?"));
  const Outcome none = Trend({"Completely.Different", "--json"});
  EXPECT_EQ(none.code, 6);
  EXPECT_EQ(nlohmann::json::parse(none.out)["suggestions"], nlohmann::json::array());
  EXPECT_EQ(nlohmann::json::parse(none.out)["matching_tests"], nlohmann::json::array());
}

TEST_F(TrendOfATestTest, ARunWithoutTestsDoesNotCount) {
  KeepHistory();
  const Outcome outcome = Trend({"--days", "2"});
  EXPECT_THAT(outcome.out, HasSubstr("\n2026-01-03     1 "));
  EXPECT_THAT(outcome.out, HasSubstr("\n1 run without tests is not counted\n"));
}

TEST_F(TrendCommandTest, CountsFailuresOfRunsWithoutRosters) {
  KeepHistory();
  const Outcome outcome = Run({"trend", "B.B", "--at", "2026-01-04T23:00:00Z", "--days", "2"});
  EXPECT_THAT(outcome.out, HasSubstr("2026-01-03     0            0         0       0\n"
                                     "2026-01-04     1            1         1       1\n\n"
                                     "1 run does not say which tests it executed; of it only failures are counted\n"));
  const Outcome unknown = Run({"trend", "B", "--at", "2026-01-04T23:00:00Z"});
  EXPECT_EQ(unknown.code, 6);
  EXPECT_THAT(unknown.err, HasSubstr("unknown test `B`"));
  EXPECT_THAT(unknown.err, HasSubstr("did you mean `B.B`?"));
}

TEST_F(TrendCommandTest, JsonHasThePeriods) {
  KeepHistory();
  const auto json = nlohmann::json::parse(Run({"trend", "--at", "2026-01-04T23:00:00Z", "--days", "1", "--json"}).out);
  EXPECT_EQ(json, nlohmann::json::parse(R"({"format":1,"all_projects":false,"project":"demo","test":null,"by":"day",
    "runs_looked_at":1,"runs_without_tests":0,
    "periods":[{"date":"2026-01-04","runs":1,"failed_runs":1,"failures":3,"failing_tests":2,"outside_tests":0}]})"));
}

TEST_F(TrendCommandTest, FiltersSelectRuns) {
  std::vector<RunRecord> records;
  for (const std::string id : {"a", "b"}) {
    records.push_back(BuildRecord(id).Project("demo").Ended(At(9), 1).Fail("A.A").Fail("ctest").Build());
    records.back().failures[1].test_file = "[ctest]";
    records.back().run.branch = id;
  }
  Keep(records);
  const auto periods = [](const std::vector<std::string>& filter) {
    std::vector<std::string> arguments = {"trend", "--at", "2026-01-01T23:00:00Z", "--json"};
    arguments.insert(arguments.end(), filter.begin(), filter.end());
    return nlohmann::json::parse(Run(arguments).out)["periods"];
  };
  EXPECT_EQ(periods({"--branch", "a"}), nlohmann::json::parse(R"([{"date":"2026-01-01","runs":1,"failed_runs":1,
    "failures":1,"failing_tests":1,"outside_tests":1}])"));
  EXPECT_EQ(periods({}), nlohmann::json::parse(R"([{"date":"2026-01-01","runs":2,"failed_runs":2,
    "failures":2,"failing_tests":1,"outside_tests":2}])"));
}

TEST_F(TrendCommandTest, ReportsThatAProjectHasNoRuns) {
  KeepHistory();
  const Outcome outcome = Run({"trend", "--project", "absent", "--days", "2"});
  EXPECT_EQ(outcome.code, 6);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "flaky: no run of project absent in sqlite:" + Path("h.db") +
                             "; the projects are demo (4 runs): --project NAME selects one, --all every project\n");
}

}  // namespace
}  // namespace flaky
