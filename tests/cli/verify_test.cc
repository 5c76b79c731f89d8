// SPDX-License-Identifier: MIT
#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/verify_report.h"
#include "history/digest.h"
#include "tests/cli/program_fixture.h"
#include "tests/support/generate_history.h"
#include "tests/support/wait_for.h"

namespace flaky {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

class VerifyCommandTest : public ProgramTest {
 protected:
  VerifyCommandTest() {
    Set("FLAKY_TESTS_DB", Path("new.db"));
    Set("FLAKY_TESTS_SOURCE_DB", Path("old.db"));
  }

  void Write(const std::string& file, const std::vector<RunRecord>& records) const {
    OpenStore(ParseLocation("sqlite:" + Path(file)), OpenMode::kWrite)->Write(records);
  }
  void Sql(const std::string& file, const std::string& sql) const {
    SQLite::Database(Path(file), SQLite::OPEN_READWRITE).exec(sql);
  }
  static std::vector<RunRecord> Some() {
    return {BuildRecord("r1").Project("demo").Part("p1", 0, 1).Fail("S.A").Build(),
            BuildRecord("r2").Project("demo").Part("p2", 60).Build(),
            BuildRecord("r3").StartedAt(At(40 * 86'400)).Ended(At(40 * 86'400 + 5)).Build()};
  }
  static json RunJson(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"verify", "--json"});
    return json::parse(Run(arguments).out);
  }
};

TEST_F(VerifyCommandTest, EqualStoresAreReportedInThreeLines) {
  Write("old.db", Some());
  Write("new.db", Some());
  Digest digest;
  for (const RunRecord& record : Some()) digest += DigestOf(record);
  const auto before = Everything();
  const Outcome outcome = Run({"verify"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out, "source: sqlite:" + Path("old.db") + ": 3 runs, 2 parts, 1 failure, digest " +
                             digest.ToString() + "\ntarget: sqlite:" + Path("new.db") +
                             ": 3 runs, 2 parts, 1 failure, digest " + digest.ToString() + "\nequal: 3 runs\n");
  EXPECT_EQ(Everything(), before);
  EXPECT_THAT(Run({"verify", "--combined"}).out, StartsWith("= r1\n= r2\n= r3\nsource: "));
}

TEST_F(VerifyCommandTest, DifferencesAreListedAndCountedByProjectAndMonth) {
  Write("old.db", Some());
  std::vector<RunRecord> records = Some();
  records[0].failures[0].error_message = "Expected: truf";
  records.erase(records.begin() + 1);
  records.push_back(BuildRecord("r4\x1b[2J").StartedAt(At(41 * 86'400)).Build());
  Write("new.db", records);
  const Outcome outcome = Run({"verify"});
  EXPECT_EQ(outcome.code, 5);
  EXPECT_EQ(outcome.out.substr(0, outcome.out.find("source: ")),
            "* r1  the failure of S.A at 2026-01-01T00:00:01.000Z: error_message is `Expected: true` in the source and "
            "`Expected: truf` in the target\n"
            "+ r2\n"
            "- r4\\x1b[2J\n"
            "project  month    runs in source  in target  failures in source  in target  differences\n"
            "-        2026-02               1          2                   0          0            1\n"
            "demo     2026-01               2          1                   1          1            2\n");
  EXPECT_THAT(outcome.out,
              testing::EndsWith("\nNOT equal: only in the source 1, only in the target 1, different 1, equal 1\n"));
  const Outcome combined = Run({"verify", "--combined"});
  EXPECT_EQ(combined.code, 5);
  EXPECT_THAT(combined.out, AllOf(HasSubstr("\n+ r2\n= r3\n- r4"), StartsWith("* r1")));

  const json summary = RunJson({});
  EXPECT_EQ(summary["format"], 1);
  EXPECT_EQ(summary["same"], false);
  EXPECT_EQ(summary["interrupted"], false);
  EXPECT_EQ(summary["equal"], 1);
  EXPECT_EQ(summary["only_source"], 1);
  EXPECT_EQ(summary["only_target"], 1);
  EXPECT_EQ(summary["different"], 1);
  EXPECT_EQ(summary["in_source"]["failures"], 1);
  EXPECT_NE(summary["in_source"]["digest"], summary["in_target"]["digest"]);
  ASSERT_THAT(summary["differing_buckets"], SizeIs(2));
  EXPECT_EQ(summary["differing_buckets"][0]["project"], nullptr);
  EXPECT_EQ(summary["differing_buckets"][1]["project"], "demo");
  EXPECT_EQ(summary["differing_buckets"][1]["month"], "2026-01");
  EXPECT_EQ(summary["differing_buckets"][1]["in_target"]["runs"], 1);
  ASSERT_THAT(summary["runs"], SizeIs(3));
  EXPECT_EQ(summary["runs"][0]["run_id"], "r1");
  EXPECT_EQ(summary["runs"][0]["comparison"], "different");
  EXPECT_THAT(summary["runs"][0]["what"].get<std::string>(), HasSubstr("error_message"));
  EXPECT_EQ(summary["runs"][2]["run_id"], "r4\x1b[2J");
  EXPECT_EQ(summary["runs"][2]["what"], nullptr);
  EXPECT_EQ(summary["sample"], nullptr);

  EXPECT_EQ(Run({"verify", "--project="}).code, 5);
  EXPECT_EQ(RunJson({"--project", "demo"})["equal"], 0);
  EXPECT_EQ(RunJson({"--project", "demo", "--project="})["equal"], 1);
  EXPECT_EQ(RunJson({"--project", "nothing"})["same"], true);
}

TEST_F(VerifyCommandTest, OneMoreCharacterInAnyColumnOfAnyTableIsFound) {
  HistoryShape shape;
  shape.runs = 40;
  const std::vector<RunRecord> records = GenerateHistory(shape);
  Write("old.db", records);
  Write("new.db", records);
  const std::string whole = Content(Path("new.db"));

  int columns = 0;
  for (const std::string table : {"runs", "parts", "failures", "rosters"}) {
    const std::string real = "flaky_test_" + table;
    std::vector<std::string> names;
    {
      const SQLite::Database database(Path("new.db"));
      SQLite::Statement info(database, "SELECT name FROM pragma_table_info(?)");
      info.bind(1, real);
      while (info.executeStep()) names.push_back(info.getColumn(0).getString());
    }
    for (const std::string& column : names) {
      if (column == "id" || (table == "failures" && column == "project")) continue;  // assigned by the store
      SCOPED_TRACE(real + "." + column);
      WriteFile("new.db", whole);
      std::filesystem::remove(Path("new.db-wal"));
      std::filesystem::remove(Path("new.db-shm"));
      const bool is_key = column == "run_id" || column == "part_id";
      // A number grows by one, a text by a character, a time by a digit of the hour; NULL becomes 1.
      Sql("new.db",
          "PRAGMA foreign_keys = OFF; UPDATE \"" + real + "\" SET \"" + column + "\" = CASE typeof(\"" + column +
              "\") WHEN 'null' THEN 1 WHEN 'integer' THEN \"" + column + "\" + 1 ELSE " +
              (column.ends_with("_at") ? "replace(\"" + column + "\", 'T0', 'T1')" : "\"" + column + "\" || 'x'") +
              " END WHERE rowid = (SELECT max(rowid) FROM \"" + real + "\"" +
              (column.ends_with("_at") ? " WHERE \"" + column + "\" LIKE '%T0%'" : "") + ")");
      const Outcome outcome = Run({"verify"});
      ++columns;
      EXPECT_EQ(outcome.code, 5) << outcome.out << outcome.err;
      if (!is_key) {
        EXPECT_THAT(outcome.out, StartsWith("* "));
        EXPECT_THAT(outcome.out, HasSubstr("only in the source 0, only in the target 0, different "));
      }
    }
  }
  EXPECT_GT(columns, 40);
}

TEST_F(VerifyCommandTest, OneWayIgnoresWhatOnlyTheTargetHas) {
  Write("old.db", Some());
  std::vector<RunRecord> more = Some();
  more[1] = BuildRecord("r2").Project("demo").Part("p2", 60).Part("p5", 90).Build();
  more.push_back(BuildRecord("r4").Build());
  Write("new.db", more);
  EXPECT_EQ(Run({"verify"}).code, 5);
  const Outcome outcome = Run({"verify", "--one-way"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, StartsWith("source: ")) << "nothing to list";
  EXPECT_THAT(outcome.out,
              HasSubstr("the target holds all of the source: equal 2, more in the target 1, only in the target 1\n"));
  EXPECT_THAT(Run({"verify", "--one-way", "--combined"}).out,
              AllOf(HasSubstr("- r4\n"), HasSubstr("= r2  the target has more of it\n")));
  EXPECT_EQ(RunJson({"--one-way"})["target_ahead"], 1);
  EXPECT_EQ(
      Run({"verify", "--one-way", "--source", "sqlite:" + Path("new.db"), "--target", "sqlite:" + Path("old.db")}).code,
      5);
}

TEST_F(VerifyCommandTest, ASampleIsReportedAsASample) {
  Write("old.db", Some());
  Write("new.db", Some());
  const Outcome outcome = Run({"verify", "--sample", "99.9%"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("equal, in a sample of 99.9% of the runs: "));
  EXPECT_EQ(RunJson({"--sample", "5%"})["sample"], 0.05);
  EXPECT_EQ(RunJson({"--sample", "100%"})["equal"], 3);
  for (const char* wrong : {"5", "0%", "-1%", "101%", "x%", "%", "5%%", "nan%", "1e1%", ""}) {
    const Outcome refused = Run({"verify", "--sample", wrong});
    EXPECT_EQ(refused.code, 2) << wrong;
    EXPECT_THAT(refused.err, HasSubstr("--sample"));
  }
  EXPECT_EQ(Run({"verify", "--quick", "--sample", "5%"}).code, 2);
}

TEST_F(VerifyCommandTest, QuickReportsWhatItCompares) {
  Write("old.db", Some());
  Write("new.db", Some());
  Outcome outcome = Run({"verify", "--quick"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("equal, by the fields of the runs and the counts of the rest only: 3 runs\n"));
  Sql("new.db", "DELETE FROM flaky_test_failures");
  outcome = Run({"verify", "--quick"});
  EXPECT_EQ(outcome.code, 5);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("1 failure,"), HasSubstr("0 failures,"), HasSubstr("NOT equal")));
}

TEST_F(VerifyCommandTest, StoresThatCannotBeComparedAreReported) {
  Outcome outcome = Run({"verify"});
  EXPECT_EQ(outcome.code, 10);
  EXPECT_THAT(outcome.err, HasSubstr(Path("old.db")));
  Write("old.db", Some());
  outcome = Run({"verify"});
  EXPECT_EQ(outcome.code, 10);
  EXPECT_THAT(outcome.err, HasSubstr(Path("new.db")));
  EXPECT_FALSE(std::filesystem::exists(Path("new.db"))) << "nothing is created";
  outcome = Run({"verify", "--target", "sqlite:" + Path("old.db")});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("both stores are"), HasSubstr("--source and --target")));
  outcome = Run({"verify", "--target", "postgresql://u:hunter2@127.0.0.1:1/x"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("--target"), Not(HasSubstr("hunter2"))));
  Unset("FLAKY_TESTS_SOURCE_DB");
  outcome = Run({"verify"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("verify: no old store is named: give --source LOCATION"));
}

TEST_F(VerifyCommandTest, InterruptedItReportsThatAndEndsWith130) {
  HistoryShape shape;
  shape.runs = 20'000;
  shape.max_message = 400;
  const std::vector<RunRecord> records = GenerateHistory(shape);
  Write("old.db", records);
  std::filesystem::copy_file(Path("old.db"), Path("new.db"));
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(pipe_ends[1], STDOUT_FILENO);
    ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);
    ::close(pipe_ends[0]);
    ::close(pipe_ends[1]);
    ::execl(FLAKY_PROGRAM, "flaky", "verify", "--json", nullptr);
    ::_exit(127);
  }
  ::close(pipe_ends[1]);
  // The handler is installed when the stores are opened; an earlier signal would end the process as usual.
  const std::string status_file = "/proc/" + std::to_string(child) + "/status";
  const auto handles_interrupts = [&] {
    std::ifstream status_lines(status_file);
    for (std::string line; std::getline(status_lines, line);) {
      if (line.starts_with("SigCgt:")) return (std::stoull(line.substr(7), nullptr, 16) >> (SIGINT - 1) & 1) == 1;
    }
    return false;
  };
  WaitFor("the program's interrupt handler", handles_interrupts);
  ::kill(child, SIGINT);
  std::string out;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(pipe_ends[0], buffer, sizeof buffer)) > 0;) {
    out.append(buffer, static_cast<size_t>(got));
  }
  ::close(pipe_ends[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 130);
  const json summary = json::parse(out);
  EXPECT_EQ(summary["interrupted"], true);
  EXPECT_EQ(summary["same"], false);
  EXPECT_LT(summary["equal"], 20'000);
}

TEST(VerifiedRuns, AreListedUpToALimitThatEqualOnesDoNotUseUp) {
  VerifiedRuns runs(true, false);
  for (int i = 0; i < 3000; ++i) {
    runs.Add({"e" + std::to_string(i), At(i), Comparison::kEqual, {}});
    runs.Add({"d" + std::to_string(i), At(i), Comparison::kOnlySource, {}});
  }
  EXPECT_THAT(runs.Listed(), SizeIs(2000));
  EXPECT_EQ(runs.left_out(), 4000u);
  EXPECT_EQ(runs.Listed()[0].run_id, "d0");
  EXPECT_EQ(runs.Listed()[1].run_id, "e0");

  VerifiedRuns differing(false, true);
  differing.Add({"e", At(0), Comparison::kEqual, {}});
  differing.Add({"t", At(0), Comparison::kOnlyTarget, {}});
  differing.Add({"a", At(0), Comparison::kAhead, {}});
  EXPECT_THAT(differing.Listed(), SizeIs(0));
  const VerifySummary summary;
  std::ostringstream out;
  PrintVerifyText({summary, {}, runs, "a", "b", ""}, out, false);
  EXPECT_THAT(out.str(), HasSubstr("\n4,000 more are counted but not listed\n"));
}

}  // namespace
}  // namespace flaky
