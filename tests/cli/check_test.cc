// SPDX-License-Identifier: MIT
#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "history/early_end.h"
#include "history/merge.h"
#include "tests/cli/program_fixture.h"
#include "tests/support/generate_history.h"

namespace flaky {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kNow[] = "2026-03-15T12:00:00Z";
constexpr int64_t kDay = 86'400;

// A history that is judged as of kNow.
class CheckTest : public ProgramTest {
 protected:
  // Returns a run of the project with one failure of each named test, `days_ago` before kNow.
  RunRecord Failing(double days_ago, const std::vector<std::string>& tests, int64_t failed_tests = 1) {
    const Timestamp at = *Timestamp::Parse(kNow) - static_cast<int64_t>(days_ago * kDay) * kMicrosPerSecond;
    BuildRecord builder("run-" + std::to_string(++runs_));
    builder.StartedAt(at).Project("demo").Ended(at + kMicrosPerSecond, failed_tests);
    for (const std::string& test : tests) builder.Fail(test, "Expected: " + test + "\n  second line");
    RunRecord record = builder.Build();
    for (Failure& failure : record.failures) failure.failed_at = at;
    return record;
  }
  static Outcome Check(std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), {"check", "--rule", "npm", "--at", kNow});
    return Run(arguments);
  }

 private:
  int runs_ = 0;
};

TEST_F(CheckTest, ReportsNewlyFlakyTests) {
  Keep({Failing(1, {"QueueTest.Pops", "NetTest.Connects"}, 2), Failing(2, {"QueueTest.Pops"}),
        Failing(3, {"QueueTest.Pops", "NetTest.Connects"}, 2), Failing(2, {"OldTest.Fails"}),
        Failing(3, {"OldTest.Fails"}), Failing(8, {"OldTest.Fails"}), Failing(1, {"OnceTest.Fails"})});
  const Outcome outcome = Check();
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out,
            "2 newly flaky tests in project demo: 2 or more failures in the last 7 days, none in the 7 days before\n"
            "\n"
            "QueueTest.Pops  tests/suite_test.cc\n"
            "    3 failures (assertion), last 2026-03-14 12:00:00 UTC\n"
            "    Expected: QueueTest.Pops\n"
            "\n"
            "NetTest.Connects  tests/suite_test.cc\n"
            "    2 failures (assertion), last 2026-03-14 12:00:00 UTC\n"
            "    Expected: NetTest.Connects\n");
}

TEST_F(CheckTest, ReportsNothingIfNoTestIsNewlyFlaky) {
  Keep({Failing(1, {"OnceTest.Fails"})});
  const Outcome outcome = Check();
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out,
            "no newly flaky tests in project demo: 2 or more failures in the last 7 days, none in the 7 days before\n");
}

TEST_F(CheckTest, BoundariesOfTheWindows) {
  // A failure exactly one window ago is prior; exactly two windows ago, it is ignored.
  Keep({Failing(0, {"A.A", "B.B", "C.C"}), Failing(0, {"A.A", "B.B", "C.C"}), Failing(7, {"A.A"}), Failing(14, {"B.B"}),
        Failing(13.9, {"C.C"})});
  const Outcome outcome = Check();
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("\nB.B  "));
  EXPECT_THAT(outcome.out, Not(HasSubstr("\nA.A  ")));
  EXPECT_THAT(outcome.out, Not(HasSubstr("\nC.C  ")));
}

TEST_F(CheckTest, LeavesOutUnfinishedRunsAndRunsWithManyFailedTests) {
  RunRecord open = Failing(1, {"Open.Run"});
  open.run.account.ended_at = std::nullopt;
  RunRecord unknown = Failing(1, {"Unknown.Count", "Unknown.Count"});
  unknown.run.account.failed_tests = std::nullopt;
  Keep({Failing(1, {"Nine.Failed", "Nine.Failed"}, 9), Failing(1, {"Ten.Failed", "Ten.Failed"}, 10), open,
        Failing(2, {"Open.Run"}), unknown});
  const Outcome outcome = Check();
  EXPECT_THAT(outcome.out, HasSubstr("1 newly flaky test in"));
  EXPECT_THAT(outcome.out, HasSubstr("Nine.Failed"));
  EXPECT_THAT(outcome.out,
              HasSubstr("\n3 of 5 runs left out: 1 with 10 or more failed tests, 1 without an end, 1 without "
                        "a count of failed tests\n"));
  const auto json = nlohmann::json::parse(Check({"--json"}).out);
  EXPECT_EQ(json["runs"], 5);
  EXPECT_EQ(json["left_out"], nlohmann::json::parse(R"({"runs":3,"many_failed_tests":1,"no_end":1,"no_count":1})"));
}

TEST_F(CheckTest, WithoutARunToJudgeItSaysSo) {
  Keep({Failing(1, {"Wire.Answers/0", "Wire.Answers/0"}, 12), Failing(2, {"Wire.Answers/0"}, 12)});
  const Outcome outcome = Check();
  EXPECT_EQ(outcome.code, 6);
  EXPECT_THAT(outcome.out, HasSubstr("\n2 of 2 runs left out: 2 with 10 or more failed tests\n"));
  const Outcome early = Run({"check", "--rule", "npm", "--at", "2025-03-15"});
  EXPECT_EQ(early.code, 6);
  EXPECT_EQ(early.out, "");
  EXPECT_EQ(early.err, "flaky: no run of project demo in sqlite:" + Path("h.db") +
                           " started in the last 14 days; there are 2 runs\n");
  EXPECT_EQ(Check({"--project", "other"}).code, 6);
}

TEST_F(CheckTest, InterruptedRunsAreLeftOutAndNamed) {
  RunRecord interrupted = Failing(1, {});
  Part part;
  part.part_id = "p";
  part.account = interrupted.run.account;
  part.account.status = std::nullopt;
  part.account.failed_tests = 0;
  part.ended_early = EarlyEndsText({{EarlyEnd::Cause::kInterrupted, "A.A", "a_test", "SIGINT"}});
  interrupted.parts.push_back(part);
  RunRecord unknown = Failing(2, {});
  part.part_id = "q";
  part.account.started_at = unknown.run.account.started_at;
  part.ended_early = EarlyEndsText({{EarlyEnd::Cause::kNotKnown, "A.A", "a_test", {}}});
  unknown.parts.push_back(part);
  SumParts(interrupted);
  SumParts(unknown);
  Keep({interrupted, unknown, Failing(3, {})});
  EXPECT_THAT(Check().out, HasSubstr("\n2 of 3 runs left out: 1 interrupted, 1 ended early\n"));
}

TEST_F(CheckTest, FailuresOutsideOfTestsAreListedSeparately) {
  RunRecord first = Failing(1, {"ctest", "A.A"}), second = Failing(2, {"ctest"}), before = Failing(9, {"ctest"});
  for (RunRecord* record : {&first, &second, &before}) record->failures[0].test_file = "[ctest]";
  Keep({first, second, before});
  const Outcome outcome = Check();
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("no newly flaky tests"));
  EXPECT_THAT(outcome.out, HasSubstr("\nfailures outside of tests in the last 7 days\n    ctest: 2, last 2026-03-14 "
                                     "12:00:00 UTC\n"));
  const auto json = nlohmann::json::parse(Check({"--json"}).out);
  EXPECT_EQ(json["outside_tests"], nlohmann::json::parse(R"([{"name":"ctest","failures":2,
    "last_failed_at":"2026-03-14T12:00:00.000Z"}])"));
}

TEST_F(CheckTest, FailuresOfSuitesAreListedSeparatelyUnlessAnotherToolWroteThem) {
  const auto of_suite = [](const std::string& id, int64_t days_ago) {
    const int64_t at = (Timestamp::Parse(kNow)->micros - At(0).micros) / kMicrosPerSecond - days_ago * kDay;
    return BuildRecord(id).Project("demo").Part(id, at, 1).Fail("Suite", "SetUpTestSuite", at).Build();
  };
  Keep({of_suite("a", 1), of_suite("b", 2), Failing(1, {"adds numbers"}), Failing(2, {"adds numbers"})});
  const Outcome outcome = Check();
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("1 newly flaky test in"));
  EXPECT_THAT(outcome.out, HasSubstr("\nadds numbers  "));
  EXPECT_THAT(outcome.out, HasSubstr("\n    Suite: 2, last 2026-03-14 12:00:00 UTC\n"));
}

TEST_F(CheckTest, FiltersSelectTheRunsToJudge) {
  std::vector<RunRecord> records;
  for (const double days_ago : {1, 2, 3}) {
    records.push_back(Failing(days_ago, {"Red.InProgress"}));
    records.back().run.branch = "feature";
    records.push_back(Failing(days_ago, {"Main.Fails"}));
    records.back().run.branch = "main";
  }
  records.push_back(Failing(8, {"Main.Fails"}));
  records.back().run.branch = "feature";
  Keep(records);
  EXPECT_THAT(Check().out, HasSubstr("1 newly flaky test in"));
  const Outcome main = Check({"--branch", "main"});
  EXPECT_EQ(main.code, 1);
  EXPECT_THAT(main.out, HasSubstr("\nMain.Fails  "));
  EXPECT_THAT(main.out, Not(HasSubstr("Red.InProgress")));
  EXPECT_THAT(main.out, HasSubstr("    Expected: Main.Fails\n"));
  EXPECT_EQ(Check({"--branch", "other"}).code, 6);
}

TEST_F(CheckTest, JudgesOneProjectOnly) {
  RunRecord other = Failing(1, {"Other.Test", "Other.Test"});
  other.run.project = "other";
  RunRecord none = Failing(1, {"None.Test", "None.Test"});
  none.run.project = std::nullopt;
  Keep({other, none, Failing(1, {"Other.Test"})});
  EXPECT_EQ(Check().code, 0);
  EXPECT_THAT(Check({"--project", "other"}).out, HasSubstr("1 newly flaky test in project other"));
  const Outcome without = Check({"--project", ""});
  EXPECT_EQ(without.code, 1);
  EXPECT_THAT(without.out, HasSubstr("1 newly flaky test in the runs without a project"));
  EXPECT_THAT(without.out, HasSubstr("None.Test"));
}

TEST_F(CheckTest, WindowAndThresholdComeFromFlagsAndSettings) {
  Keep({Failing(1, {"A.A"}), Failing(2, {"A.A"}), Failing(3, {"A.A"}), Failing(9, {"A.A"})});
  EXPECT_EQ(Check().code, 0);
  EXPECT_EQ(Check({"--window", "10"}).code, 1);
  EXPECT_EQ(Check({"--window", "4"}).code, 1) << "nine days ago is more than two windows ago";
  EXPECT_EQ(Check({"--window", "4", "--threshold", "4"}).code, 0);
  Set("FLAKY_TESTS_WINDOW", "10");
  EXPECT_EQ(Check().code, 1);
  EXPECT_EQ(Check({"--window", "7"}).code, 0) << "the flag overrides the setting";
  Set("FLAKY_TESTS_THRESHOLD", "5");
  EXPECT_EQ(Check().code, 0);
}

TEST_F(CheckTest, AtLeavesOutLaterFailures) {
  Keep({Failing(1, {"A.A"}), Failing(-1, {"A.A"})});
  EXPECT_EQ(Check().code, 0);
  EXPECT_EQ(Run({"check", "--rule", "npm", "--at", "2026-03-17"}).code, 1);
}

TEST_F(CheckTest, JsonListsTheTests) {
  RunRecord timeout = Failing(2, {"A.A"});
  timeout.failures[0].failure_kind = "timeout";
  timeout.failures[0].error_stack = "at a.cc:3";
  Keep({Failing(1, {"A.A"}), timeout});
  const Outcome outcome = Check({"--json"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.out, R"({
  "format": 1,
  "project": "demo",
  "window_days": 7,
  "threshold": 2,
  "at": "2026-03-15T12:00:00.000Z",
  "runs": 2,
  "left_out": {
    "runs": 0
  },
  "patterns": [
    {
      "test_file": "tests/suite_test.cc",
      "test_name": "A.A",
      "recent": 2,
      "kinds": [
        "assertion",
        "timeout"
      ],
      "last_message": "Expected: A.A\n  second line",
      "last_stack": "at a.cc:3",
      "last_failed_at": "2026-03-14T12:00:00.000Z"
    }
  ],
  "outside_tests": [],
  "latest_ended_early": null
}
)");
}

// The rule as one SQL statement, as other tools may write it: on the same database, both must report the same tests.
constexpr char kRuleAsSql[] = R"(
  SELECT f.test_file || '|' || f.test_name || '|' || count(*) || '|' || max(f.failed_at)
  FROM flaky_test_failures f JOIN flaky_test_runs r ON r.run_id = f.run_id
  WHERE r.failed_tests < 10 AND r.ended_at IS NOT NULL AND r.project IS nullif(?1, '') AND f.failed_at > ?3
  GROUP BY f.test_file, f.test_name
  HAVING count(*) >= ?4 AND min(f.failed_at) > ?2
  ORDER BY count(*) DESC, f.test_file, f.test_name)";

TEST_F(CheckTest, AgreesWithTheRuleInSqlOnAGeneratedHistory) {
  const HistoryShape shape{.seed = 7, .runs = 1500, .failures_per_run = 2, .days = 60, .tests = 300, .npm_share = 0.3};
  Keep(GenerateHistory(shape));
  SQLite::Database database(Path("h.db"));
  size_t reported = 0;
  for (const std::string project : {"engine", "tools", ""}) {
    for (const int64_t window : {1, 7, 20}) {
      for (const int64_t threshold : {1, 2, 4}) {
        const std::string at = shape.end.ToString();
        const auto json =
            nlohmann::json::parse(Run({"check", "--rule", "npm", "--json", "--project", project, "--at", at, "--window",
                                       std::to_string(window), "--threshold", std::to_string(threshold)})
                                      .out);
        std::vector<std::string> found;
        for (const auto& pattern : json["patterns"]) {
          found.push_back(pattern["test_file"].get<std::string>() + "|" + pattern["test_name"].get<std::string>() +
                          "|" + std::to_string(pattern["recent"].get<int64_t>()) + "|" +
                          pattern["last_failed_at"].get<std::string>());
        }
        SQLite::Statement rule(database, kRuleAsSql);
        rule.bind(1, project);
        rule.bind(2, (shape.end - window * kMicrosPerDay).ToString());
        rule.bind(3, (shape.end - 2 * window * kMicrosPerDay).ToString());
        rule.bind(4, threshold);
        std::vector<std::string> expected;
        while (rule.executeStep()) expected.push_back(rule.getColumn(0).getString());
        EXPECT_THAT(found, testing::ElementsAreArray(expected)) << project << " " << window << " " << threshold;
        reported += found.size();
      }
    }
  }
  EXPECT_GT(reported, 100U) << "too little was compared";
}

TEST_F(CheckTest, HostileNamesAndMessagesCannotTouchTheTerminal) {
  RunRecord record = Failing(1, {"\x1b[1mA.A\n", "\x1b[1mA.A\n"});
  for (Failure& failure : record.failures) failure.error_message = "\n\nfirst\x1b[8m\nsecond";
  Keep({record});
  const Outcome outcome = Check();
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.out.find('\x1b'), std::string::npos);
  EXPECT_THAT(outcome.out, HasSubstr("\n\\x1b[1mA.A\\n  tests/suite_test.cc\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\n    first\\x1b[8m\n"));
}

}  // namespace
}  // namespace flaky
