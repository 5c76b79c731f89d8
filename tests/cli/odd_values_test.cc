// SPDX-License-Identifier: MIT
#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/program_fixture.h"

// Commands still work if another tool left values that no field can hold in the history (docs/reference/conversion.md).
namespace flaky {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class OddValuesTest : public ProgramTest {
 protected:
  void SetUp() override {
    std::vector<RunRecord> records;
    for (int day = 0; day < 6; ++day) {
      records.push_back(BuildRecord("run-" + std::to_string(day))
                            .StartedAt(At(86'400 * day))
                            .Project("demo")
                            .Ended(At(86'400 * day + 60), 1)
                            .Fail("S.Often", "boom", 86'400 * day + 1)
                            .Build());
    }
    Keep(records);
  }
  void Change(const std::string& sql) const { SQLite::Database(Path("h.db"), SQLite::OPEN_READWRITE).exec(sql); }
  std::vector<Outcome> AllCommands() const {
    return {Run({"runs"}),
            Run({"runs", "--json"}),
            Run({"runs", "--since", "2026-01-01T00:00:00Z"}),
            Run({"show", "run-3"}),
            Run({"show", "run-3", "--json"}),
            Run({"check", "--rule", "npm", "--at", "2026-01-06T12:00:00Z"}),
            Run({"trend", "--at", "2026-01-06T12:00:00Z"}),
            Run({"trend", "--at", "2026-01-06T12:00:00Z", "--json"})};
  }
};

TEST_F(OddValuesTest, StopNoCommand) {
  for (const char* sql :
       {"UPDATE flaky_test_runs SET started_at = 'last tuesday' || char(27) || '[2J' WHERE run_id = 'run-3'",
        "UPDATE flaky_test_runs SET started_at = x'ff00fe' WHERE run_id = 'run-3'",
        "UPDATE flaky_test_runs SET ended_at = 'soon', duration_ms = 1.5, total_tests = 'all', git_dirty = 'yes', "
        "failed_tests = 9e999, git_sha = x'c3281b' WHERE run_id = 'run-3'",
        "UPDATE flaky_test_failures SET failed_at = 'year!' WHERE run_id = 'run-3'",
        "UPDATE flaky_test_failures SET test_name = x'ff1b5b324a', error_message = x'1b', failure_kind = x'ff', line = "
        "'x' WHERE run_id = 'run-3'"}) {
    Change(sql);
    for (const Outcome& outcome : AllCommands()) {
      EXPECT_THAT(outcome.code, testing::AnyOf(0, 1)) << sql << '\n' << outcome.err;
      EXPECT_THAT(outcome.out, Not(HasSubstr("\x1b"))) << sql;
      EXPECT_THAT(outcome.out, Not(HasSubstr("\xff"))) << sql;
    }
  }
  EXPECT_THAT(Run({"show", "run-3"}).out, AllOf(HasSubstr("1970-01-01 00:00:00"), HasSubstr("\\xff\\x1b[2J")));
}

TEST_F(OddValuesTest, AreExportedAsTheyAreRead) {
  Change(
      "UPDATE flaky_test_runs SET started_at = 'never', duration_ms = 1.5, git_dirty = 7 WHERE run_id = 'run-3';"
      "UPDATE flaky_test_failures SET failed_at = 'year!', signal = x'414243' WHERE run_id = 'run-3'");
  const Outcome outcome = Run({"export", Path("out.jsonl")});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  Set("FLAKY_TESTS_DB", Path("new.db"));
  EXPECT_EQ(Run({"import", Path("out.jsonl")}).code, 0);
  const auto shown = nlohmann::json::parse(Run({"show", "run-3", "--json"}).out);
  EXPECT_EQ(shown["run"]["started_at"], "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(shown["run"]["duration_ms"], 2);
  EXPECT_EQ(shown["run"]["git_dirty"], true);
  EXPECT_EQ(shown["failures"][0]["failed_at"], "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(shown["failures"][0]["signal"], "ABC");
}

TEST_F(OddValuesTest, DoNotAffectOtherRuns) {
  const auto before = nlohmann::json::parse(Run({"runs", "--json"}).out);
  const std::string check = Run({"check", "--rule", "npm", "--at", "2026-01-06T12:00:00Z"}).out;
  EXPECT_THAT(check, HasSubstr("S.Often"));
  Change("UPDATE flaky_test_runs SET started_at = 'never', duration_ms = 'long' WHERE run_id = 'run-3'");
  const auto after = nlohmann::json::parse(Run({"runs", "--json"}).out);
  ASSERT_EQ(after["runs"].size(), before["runs"].size());
  for (const auto& run : before["runs"]) {
    if (run["run_id"] == "run-3") continue;
    EXPECT_THAT(after["runs"], testing::Contains(run));
  }
  // The failures of the run still have their times.
  EXPECT_EQ(Run({"check", "--rule", "npm", "--at", "2026-01-06T12:00:00Z"}).out, check);
}

TEST_F(OddValuesTest, GiveTheSameVerdictsBeforeAndAfterACopy) {
  Change(
      "UPDATE flaky_test_runs SET ended_at = 'soon' WHERE run_id IN ('run-4', 'run-5');"
      "UPDATE flaky_test_failures SET failed_at = 'year!' WHERE run_id = 'run-2'");
  const auto judge = [] {
    return std::vector<std::string>{Run({"check", "--rule", "npm", "--at", "2026-01-06T12:00:00Z"}).out,
                                    Run({"trend", "--at", "2026-01-06T12:00:00Z", "--json"}).out,
                                    Run({"runs", "--json"}).out, Run({"runs", "--since", "2026-01-02"}).out};
  };
  const std::vector<std::string> before = judge();
  const Outcome copy = Run({"migrate-store", "--from", "sqlite:" + Path("h.db"), "--to", "sqlite:" + Path("new.db")});
  EXPECT_EQ(copy.code, 0) << copy.err;
  EXPECT_EQ(Run({"verify", "--source", "sqlite:" + Path("h.db"), "--target", "sqlite:" + Path("new.db")}).code, 0);
  Set("FLAKY_TESTS_DB", Path("new.db"));
  EXPECT_EQ(judge(), before);
}

}  // namespace
}  // namespace flaky
