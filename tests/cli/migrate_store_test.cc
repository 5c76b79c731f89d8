// SPDX-License-Identifier: MIT
#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <random>

#include "cli/output/interrupt.h"
#include "cli/output/numbers.h"
#include "tests/cli/program_fixture.h"
#include "tests/support/contents.h"
#include "tests/support/generate_history.h"

namespace flaky {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;
using testing::UnorderedElementsAre;

class MigrateStoreTest : public ProgramTest {
 protected:
  MigrateStoreTest() { Set("FLAKY_TESTS_DB", Path("new.db")); }

  std::string Old() const { return "sqlite:" + Path("old.db"); }
  std::string New() const { return "sqlite:" + Path("new.db"); }

  static void Write(const std::string& location, const std::vector<RunRecord>& records) {
    OpenStore(ParseLocation(location), OpenMode::kWrite)->Write(records);
  }
  static void WriteHistory(const std::string& location, int64_t runs) {
    HistoryShape shape;
    shape.runs = runs;
    shape.npm_share = 0.3;
    Write(location, GenerateHistory(shape));
  }
  nlohmann::json RunJson(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"migrate-store", "--json"});
    return nlohmann::json::parse(Run(arguments).out);
  }
};

TEST_F(MigrateStoreTest, CopiesEveryProjectAndReportsThatBothAreEqual) {
  WriteHistory(Old(), 700);
  const std::string before = Content(Path("old.db"));
  const Outcome outcome = Run({"migrate-store", "--from", Old(), "--to", New()});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, StartsWith("copied " + Old() + " to " + New() + "\n"));
  EXPECT_THAT(outcome.out, HasSubstr("verified: source and target are equal, digest "));
  const auto contents = ContentsAt(Old());
  EXPECT_EQ(contents.size(), 700u);
  EXPECT_EQ(ContentsAt(New()), contents);
  EXPECT_EQ(Content(Path("old.db")), before) << "the source is only read";
}

TEST_F(MigrateStoreTest, PrintsASummary) {
  Write(Old(), {BuildRecord("r1").Project("demo").Part("p1", 0, 1).Fail("S.A").Build(),
                BuildRecord("r2").Project("demo").Part("p2", 5).Build()});
  const Outcome outcome = Run({"migrate-store", "--from", Old()});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(WithoutSpeed(outcome.out), "copied " + Old() + " to " + New() + R"(
  runs read              2
  copied                 2  new in the target
  updated                0  the source had newer data
  unchanged              0  already in the target
  in conflict            0  different run with the same id; the target's was kept
  mismatched             0  read back differently from what was sent
  parts                  2  of the runs read
  failures               1  of the runs read
  rows per second N  5 rows in N s
verified: source and target are equal, digest )" +
                                           RunJson({"--from", Old()})["source_digest"].get<std::string>() + "\n");
}

TEST_F(MigrateStoreTest, TheEnvironmentNamesBothStoresByDefault) {
  WriteHistory(Old(), 20);
  Set("FLAKY_TESTS_SOURCE_DB", Path("old.db"));
  EXPECT_EQ(Run({"migrate-store"}).code, 0);
  EXPECT_EQ(ContentsAt(New()), ContentsAt(Old()));
}

TEST_F(MigrateStoreTest, ASecondCopyAddsWhatIsNewAndDuplicatesNothing) {
  const RunRecord other = BuildRecord("same").Part("p1", 0, 1).Fail("S.A").Build();
  Write(Old(), {other, BuildRecord("unfinished").Fail("S.B").Build()});
  EXPECT_EQ(RunJson({"--from", Old()})["copied"], 2);
  Write(Old(), {BuildRecord("unfinished").Fail("S.B").Fail("S.C").Ended(At(9), 2).Build(),
                BuildRecord("same").Part("p2", 50).Build(), BuildRecord("fresh").Part("p3", 60).Build()});
  const auto again = RunJson({"--from", Old()});
  EXPECT_EQ(again["copied"], 1);
  EXPECT_EQ(again["completed"], 2);
  EXPECT_EQ(again["verified"], true);
  EXPECT_EQ(ContentsAt(New()), ContentsAt(Old()));
  EXPECT_EQ(RunJson({"--from", Old()})["unchanged"], 3);
}

TEST_F(MigrateStoreTest, AConflictIsNamedAndTheTargetsRunIsKept) {
  RunRecord theirs = BuildRecord("clash").Part("p1", 0, 1).Fail("S.A").Build();
  theirs.parts[0].variant = "asan";
  Write(New(), {theirs});
  Write(Old(), {BuildRecord("clash").Part("p1", 0, 1).Fail("S.A").Build(), BuildRecord("fine").Part("p2", 9).Build()});
  const Outcome outcome = Run({"migrate-store", "--from", Old()});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.out, HasSubstr("conflict: run clash: part p1 differs"));
  EXPECT_THAT(outcome.out, HasSubstr("NOT verified"));
  EXPECT_EQ(ContentsAt(New())["clash"], DigestOf(theirs));
  EXPECT_EQ(ContentsAt(New()).size(), 2u);
}

// The elapsed time has a lower bound only, so a slow machine does not fail the test.
TEST_F(MigrateStoreTest, MaxRateAlsoLimitsReplacedRows) {
  std::vector<RunRecord> ours, theirs;
  for (int i = 0; i < 4; ++i) {
    const std::string id = "clash" + std::to_string(i);
    ours.push_back(BuildRecord(id).Part("p1", 0).Build());
    theirs.push_back(ours.back());
    theirs.back().parts[0].variant = "asan";
  }
  Write(New(), theirs);
  Write(Old(), ours);
  const auto begin = std::chrono::steady_clock::now();
  const Outcome outcome = Run({"migrate-store", "--from", Old(), "--on-conflict", "replace", "--max-rate", "8"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(990))
      << "eight rows that conflict, then the same eight as replacements";
  EXPECT_EQ(ContentsAt(New()), ContentsAt(Old()));
}

TEST_F(MigrateStoreTest, AConflictIsReplacedOrEndsTheCopyOnRequest) {
  RunRecord theirs = BuildRecord("clash").Part("p1", 0, 1).Fail("S.A").Build();
  theirs.parts[0].variant = "asan";
  Write(New(), {theirs});
  Write(Old(), {BuildRecord("clash").Part("p1", 0, 1).Fail("S.A").Build(), BuildRecord("fine").Part("p2", 9).Build()});

  Outcome outcome = Run({"migrate-store", "--from", Old(), "--on-conflict", "fail", "--batch-size", "1"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("conflict: run clash: part p1 differs"), HasSubstr("stopped at a conflict")));
  EXPECT_EQ(ContentsAt(New())["clash"], DigestOf(theirs));

  outcome = Run({"migrate-store", "--from", Old(), "--on-conflict", "replace", "--dry-run"});
  EXPECT_THAT(outcome.out, HasSubstr("replaced: run clash: part p1 differs"));
  EXPECT_EQ(ContentsAt(New())["clash"], DigestOf(theirs));

  outcome = Run({"migrate-store", "--from", Old(), "--on-conflict", "replace"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("\n  replaced               1  different run with the same id\n"),
                                 HasSubstr("replaced: run clash: part p1 differs"),
                                 HasSubstr("verified: source and target are equal")));
  EXPECT_EQ(ContentsAt(New()), ContentsAt(Old()));

  outcome = Run({"migrate-store", "--from", Old(), "--on-conflict", "merge"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("--on-conflict"), HasSubstr("merge")));
}

TEST_F(MigrateStoreTest, ADryRunReportsTheSameAndCreatesNothing) {
  WriteHistory(Old(), 30);
  const auto before = Everything();
  const auto dry = RunJson({"--from", Old(), "--dry-run"});
  EXPECT_EQ(Everything(), before);
  EXPECT_EQ(dry["copied"], 30);
  EXPECT_EQ(dry["dry_run"], true);
  const auto wet = RunJson({"--from", Old()});
  for (const char* key :
       {"runs", "copied", "completed", "unchanged", "conflicts", "parts", "failures", "source_digest"}) {
    EXPECT_EQ(dry[key], wet[key]) << key;
  }
}

TEST_F(MigrateStoreTest, AnyBatchSizeCopiesTheSame) {
  WriteHistory(Old(), 100);
  EXPECT_EQ(Run({"migrate-store", "--from", Old(), "--batch-size", "1"}).code, 0);
  EXPECT_EQ(ContentsAt(New()), ContentsAt(Old()));
  for (const char* size : {"0", "-1", "10001", "many"}) {
    const Outcome outcome = Run({"migrate-store", "--from", Old(), "--batch-size", size});
    EXPECT_EQ(outcome.code, 2) << size;
    EXPECT_THAT(outcome.err, HasSubstr("--batch-size"));
  }
}

TEST_F(MigrateStoreTest, EachPrefixIsASeparateHistory) {
  WriteHistory(Old() + "?prefix=", 25);
  EXPECT_EQ(Run({"migrate-store", "--from", Old()}).code, 10) << "there is no history under the default prefix";
  EXPECT_EQ(Run({"migrate-store", "--from", Old() + "?prefix=", "--to", New() + "?prefix=team_"}).code, 0);
  EXPECT_EQ(ContentsAt(New() + "?prefix=team_"), ContentsAt(Old() + "?prefix="));
}

TEST_F(MigrateStoreTest, NamesTheUsersOwnColumnsAndTables) {
  WriteHistory(Old(), 3);
  EXPECT_EQ(Run({"migrate-store", "--from", Old()}).err.find("does not take"), std::string::npos);
  {
    SQLite::Database database(Path("old.db"), SQLite::OPEN_READWRITE);
    database.exec("ALTER TABLE flaky_test_runs ADD COLUMN team TEXT; CREATE TABLE notes (run_id TEXT, note TEXT)");
  }
  Write(Old() + "?prefix=other_", {});
  const Outcome outcome = Run({"migrate-store", "--from", Old()});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.err, HasSubstr("flaky: " + Old() +
                                     ": the copy does not take what flaky did not make: the column "
                                     "flaky_test_runs.team, the table notes\n"));
}

TEST_F(MigrateStoreTest, InvalidSourcesAndTargetsAreRefused) {
  Outcome outcome = Run({"migrate-store"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("--from"));

  outcome = Run({"migrate-store", "--from", Old()});
  EXPECT_EQ(outcome.code, 10);
  EXPECT_THAT(outcome.err, HasSubstr(Path("old.db")));
  EXPECT_FALSE(std::filesystem::exists(Path("new.db"))) << "nothing is created for a missing source";

  WriteHistory(Old(), 3);
  std::filesystem::create_symlink(Path("old.db"), Path("link.db"));
  for (const std::string& same : {Old(), "sqlite:" + Path("link.db")}) {
    outcome = Run({"migrate-store", "--from", Old(), "--to", same});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.err, HasSubstr("both stores are"));
  }
  EXPECT_EQ(Run({"migrate-store", "--from", Old(), "--to", "sqlite:" + Path("no/folder.db")}).code, 10);
  EXPECT_EQ(Run({"migrate-store", "--from", "mysql:x"}).code, 2);
}

TEST_F(MigrateStoreTest, KilledAtAnyMomentItIsCompletedByASecondRun) {
  WriteHistory(Old(), 1500);
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 10; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);
      ::execl(FLAKY_PROGRAM, "flaky", "migrate-store", "--from", Old().c_str(), "--batch-size", "16", "--json",
              nullptr);
      ::_exit(127);
    }
    ::usleep(random() % 60'000);
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << status;
  }
  const auto last = RunJson({"--from", Old()});
  EXPECT_EQ(last["verified"], true);
  EXPECT_EQ(last["source_digest"], last["target_digest"]);
  EXPECT_EQ(last["copied"].get<int>() + last["unchanged"].get<int>(), 1500) << "no run was ever stored in part";
  EXPECT_EQ(ContentsAt(New()), ContentsAt(Old()));
  EXPECT_EQ(Run({"schema", "status"}).code, 0) << "the indexes exist";
}

TEST_F(MigrateStoreTest, AnInvalidValueDoesNotStopTheCopy) {
  WriteHistory(Old(), 40);
  SQLite::Database(Path("old.db"), SQLite::OPEN_READWRITE)
      .exec("UPDATE flaky_test_failures SET failed_at = 'year!' WHERE id = (SELECT max(id) FROM flaky_test_failures)");
  const Outcome outcome = Run({"migrate-store", "--from", Old()});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(ContentsAt(New()), ContentsAt(Old()));
}

TEST(Interrupt, TheFirstSignalIsOnlyNoted) {
  const InterruptGuard guard;
  EXPECT_FALSE(InterruptGuard::Seen());
  raise(SIGINT);
  EXPECT_TRUE(InterruptGuard::Seen());
}

TEST(Numbers, AreGroupedAndScaled) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1000), "1,000");
  EXPECT_EQ(WithThousands(-1234567), "-1,234,567");
  EXPECT_EQ(WithThousands(-123), "-123");
  EXPECT_EQ(AsBytes(999), "999 B");
  EXPECT_EQ(AsBytes(1500), "1.5 kB");
  EXPECT_EQ(AsBytes(20'300'000), "20.3 MB");
  EXPECT_EQ(AsBytes(INT64_MAX), "9.2 EB");
  EXPECT_EQ(AsClock(0), "0:00");
  EXPECT_EQ(AsClock(6.1), "0:07");
  EXPECT_EQ(AsClock(3599.5), "1:00:00");
  EXPECT_EQ(AsClock(100'000), "27:46:40");
  EXPECT_EQ(AsClock(1e300), "277777777777:46:40");
  EXPECT_EQ(AsDuration(0.004), "0.00 s");
  EXPECT_EQ(AsDuration(9.99), "9.99 s");
  EXPECT_EQ(AsDuration(9.996), "10.0 s");
  EXPECT_EQ(AsDuration(59.96), "1:00 min");
  EXPECT_EQ(AsDuration(7200.4), "2:00:00 h");
}

// Selecting runs and renaming projects.
class MigrateSelectionTest : public MigrateStoreTest {
 protected:
  MigrateSelectionTest() {
    const auto run = [](const std::string& id, int64_t day, bool ended = true) {
      BuildRecord record(id);
      record.StartedAt(At(day * 86'400));
      if (ended) record.Ended(At(day * 86'400 + 5));
      return record;
    };
    Write(Old(), {run("demo1", 0).Project("demo").Build(), run("demo2", 3).Project("demo").Build(),
                  run("demo3", 5, false).Project("demo").Build(), run("tools1", 1).Project("tools").Build(),
                  run("none1", 2).Build()});
  }

  // Copies with these arguments and returns the runs in the target, as "project/id".
  std::vector<std::string> Copied(const std::vector<std::string>& more) {
    std::filesystem::remove(Path("new.db"));
    std::vector<std::string> arguments = {"migrate-store", "--from", Old()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    outcome_ = Run(arguments);
    EXPECT_EQ(outcome_.code, 0) << outcome_.err;
    std::vector<std::string> copied;
    const auto store = OpenStore(ParseLocation(New()), OpenMode::kRead);
    for (const RunRecord& record : store->Read({}).records) {
      copied.push_back(record.run.project.value_or("-") + "/" + record.run.run_id);
    }
    return copied;
  }
  Outcome outcome_;
};

TEST_F(MigrateSelectionTest, SelectsProjectsAndTimes) {
  EXPECT_THAT(Copied({"--project", "demo"}), ElementsAre("demo/demo1", "demo/demo2", "demo/demo3"));
  EXPECT_THAT(Copied({"--project", "tools", "--project", ""}), UnorderedElementsAre("tools/tools1", "-/none1"));
  EXPECT_THAT(Copied({"--since", "2026-01-02", "--until", "2026-01-04"}), ElementsAre("tools/tools1", "-/none1"));
  EXPECT_THAT(Copied({"--project", "demo", "--exclude-unfinished"}), ElementsAre("demo/demo1", "demo/demo2"));
  EXPECT_THAT(outcome_.err, HasSubstr("1 run of " + Old() + " has no end and was left out"));
  EXPECT_THAT(outcome_.out, HasSubstr("verified: source and target are equal"));
}

TEST_F(MigrateSelectionTest, RenamesProjects) {
  EXPECT_THAT(Copied({"--map-project", "tools=demo", "--map-project", "=lost", "--map-project", "demo="}),
              ElementsAre("-/demo1", "demo/tools1", "lost/none1", "-/demo2", "-/demo3"));
  EXPECT_THAT(outcome_.out, HasSubstr("verified: source and target are equal"));
  EXPECT_EQ(outcome_.err, "");
  const Outcome again = Run({"migrate-store", "--from", Old(), "--map-project", "tools=demo", "--map-project", "=lost",
                             "--map-project", "demo="});
  EXPECT_EQ(again.code, 0);
  EXPECT_THAT(again.out, HasSubstr("unchanged              5"));
}

TEST_F(MigrateSelectionTest, WarnsIfTheCurrentProjectHasNoRuns) {
  Set("FLAKY_TESTS_PROJECT", "elsewhere");
  EXPECT_THAT(Copied({}), SizeIs(5));
  EXPECT_THAT(outcome_.err, AllOf(HasSubstr("no run of project elsewhere"), HasSubstr("--map-project")));
  Copied({"--project", "demo"});
  EXPECT_EQ(outcome_.err, "") << "no hint if the user names projects";
}

TEST_F(MigrateSelectionTest, RefusesInvalidMappings) {
  Outcome outcome = Run({"migrate-store", "--from", Old(), "--map-project", "demo"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("`demo` is not of the form OLD=NEW"));
  outcome = Run({"migrate-store", "--from", Old(), "--map-project", "a=b", "--map-project", "a=c"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("`a` is named twice"));
  EXPECT_FALSE(std::filesystem::exists(Path("new.db")));
}

TEST_F(MigrateSelectionTest, WritesNoFasterThanAsked) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(Copied({"--max-rate", "4"}), SizeIs(5));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(990)) << "four rows, then one";
  EXPECT_EQ(Run({"migrate-store", "--from", Old(), "--max-rate", "0"}).code, 2);
}

TEST_F(MigrateSelectionTest, ExportsTakeTheSameOptions) {
  const Outcome outcome =
      Run({"export", "-", "--from", Old(), "--project", "demo", "--map-project", "demo=other", "--exclude-unfinished"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("demo1"), HasSubstr("demo2"), HasSubstr("\"other\""),
                                 Not(HasSubstr("demo3")), Not(HasSubstr("tools1"))));
  EXPECT_THAT(outcome.err, HasSubstr("1 run of " + Old() + " has no end and was left out"));
}

TEST_F(MigrateSelectionTest, SeveralOldStoresBecomeOne) {
  const std::string other = "sqlite:" + Path("other.db");
  Write(other, {BuildRecord("other1").Project("demo").Build(),
                BuildRecord("tools1").StartedAt(At(86'400)).Ended(At(99'999)).Build()});
  const Outcome outcome = Run({"migrate-store", "--from", Old(), "--from", other});
  EXPECT_EQ(outcome.code, 3) << "the second store's tools1 is a different run";
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("copied " + Old()), HasSubstr("copied " + other), HasSubstr("conflict: run tools1")));
  EXPECT_EQ(ContentsAt(New()).size(), 6u);
  EXPECT_EQ(Run({"migrate-store", "--from", Old(), "--from", New()}).code, 2) << "one of them is the target";
}

}  // namespace
}  // namespace flaky
