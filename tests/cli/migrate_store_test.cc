#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <signal.h>

#include <nlohmann/json.hpp>
#include <random>

#include "cli/interrupt.h"
#include "cli/numbers.h"
#include "cli/terminal_progress.h"
#include "history/digest.h"
#include "tests/cli/program_fixture.h"
#include "tests/support/generate_history.h"

namespace flaky {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

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
    HistoryGenerator generator(shape);
    std::vector<RunRecord> records;
    while (auto record = generator.Next()) records.push_back(std::move(*record));
    Write(location, records);
  }
  static std::map<std::string, Digest> Contents(const std::string& location) {
    const auto store = OpenStore(ParseLocation(location), OpenMode::kRead);
    std::map<std::string, Digest> contents;
    PageRequest request;
    do {
      const Page page = store->Read(request);
      for (const RunRecord& record : page.records) contents[record.run.run_id] = DigestOf(record);
      request.after = page.next;
    } while (request.after);
    return contents;
  }
  nlohmann::json RunJson(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"migrate-store", "--json"});
    return nlohmann::json::parse(Run(arguments).out);
  }
};

TEST_F(MigrateStoreTest, CopiesEveryProjectAndSaysThatBothAreEqual) {
  WriteHistory(Old(), 700);
  const std::string before = Content(Path("old.db"));
  const Outcome outcome = Run({"migrate-store", "--from", Old(), "--to", New()});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, StartsWith("copied " + Old() + " to " + New() + "\n"));
  EXPECT_THAT(outcome.out, HasSubstr("verified: both hold the same, digest "));
  const auto contents = Contents(Old());
  EXPECT_EQ(contents.size(), 700u);
  EXPECT_EQ(Contents(New()), contents);
  EXPECT_EQ(Content(Path("old.db")), before) << "the source is only read";
}

TEST_F(MigrateStoreTest, TheOutputIsThis) {
  Write(Old(), {BuildRecord("r1").Part("p1", 0, 1).Fail("S.A").Build(), BuildRecord("r2").Part("p2", 5).Build()});
  const Outcome outcome = Run({"migrate-store", "--from", Old()});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out, "copied " + Old() + " to " + New() + R"(
  runs read              2
  copied                 2  were not in the target
  completed              0  had grown or ended since
  unchanged              0  were there already
  in conflict            0  the target has others of the same id, and keeps them
  different              0  are not in the target as they were sent
  parts                  2  of the runs read
  failures               1  of the runs read
verified: both hold the same, digest )" +
                             RunJson({"--from", Old()})["source_digest"].get<std::string>() + "\n");
}

TEST_F(MigrateStoreTest, TheEnvironmentNamesBothStoresByDefault) {
  WriteHistory(Old(), 20);
  Set("FLAKY_TESTS_SOURCE_DB", Path("old.db"));
  EXPECT_EQ(Run({"migrate-store"}).code, 0);
  EXPECT_EQ(Contents(New()), Contents(Old()));
}

TEST_F(MigrateStoreTest, RunAgainItTakesAlongWhatHasGrownAndDoublesNothing) {
  const RunRecord other = BuildRecord("same").Part("p1", 0, 1).Fail("S.A").Build();
  Write(Old(), {other, BuildRecord("unfinished").Fail("S.B").Build()});
  EXPECT_EQ(RunJson({"--from", Old()})["copied"], 2);
  Write(Old(), {BuildRecord("unfinished").Fail("S.B").Fail("S.C").Ended(At(9), 2).Build(),
                BuildRecord("same").Part("p2", 50).Build(), BuildRecord("fresh").Part("p3", 60).Build()});
  const auto again = RunJson({"--from", Old()});
  EXPECT_EQ(again["copied"], 1);
  EXPECT_EQ(again["completed"], 2);
  EXPECT_EQ(again["verified"], true);
  EXPECT_EQ(Contents(New()), Contents(Old()));
  EXPECT_EQ(RunJson({"--from", Old()})["unchanged"], 3);
}

TEST_F(MigrateStoreTest, AConflictIsNamedAndKept) {
  RunRecord theirs = BuildRecord("clash").Part("p1", 0, 1).Fail("S.A").Build();
  theirs.parts[0].variant = "asan";
  Write(New(), {theirs});
  Write(Old(), {BuildRecord("clash").Part("p1", 0, 1).Fail("S.A").Build(), BuildRecord("fine").Part("p2", 9).Build()});
  const Outcome outcome = Run({"migrate-store", "--from", Old()});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.out, HasSubstr("conflict: run clash: part p1 differs"));
  EXPECT_THAT(outcome.out, HasSubstr("NOT verified"));
  EXPECT_EQ(Contents(New())["clash"], DigestOf(theirs));
  EXPECT_EQ(Contents(New()).size(), 2u);
}

TEST_F(MigrateStoreTest, ADryRunSaysTheSameAndCreatesNothing) {
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

TEST_F(MigrateStoreTest, AnyBatchSizeGivesTheSame) {
  WriteHistory(Old(), 100);
  EXPECT_EQ(Run({"migrate-store", "--from", Old(), "--batch-size", "1"}).code, 0);
  EXPECT_EQ(Contents(New()), Contents(Old()));
  for (const char* size : {"0", "-1", "10001", "many"}) {
    const Outcome outcome = Run({"migrate-store", "--from", Old(), "--batch-size", size});
    EXPECT_EQ(outcome.code, 2) << size;
    EXPECT_THAT(outcome.err, HasSubstr("--batch-size"));
  }
}

TEST_F(MigrateStoreTest, PrefixesAreTheirOwn) {
  WriteHistory(Old() + "?prefix=", 25);
  EXPECT_EQ(Run({"migrate-store", "--from", Old()}).code, 10) << "there is no history under the default prefix";
  EXPECT_EQ(Run({"migrate-store", "--from", Old() + "?prefix=", "--to", New() + "?prefix=team_"}).code, 0);
  EXPECT_EQ(Contents(New() + "?prefix=team_"), Contents(Old() + "?prefix="));
}

TEST_F(MigrateStoreTest, WhatCannotBeCopiedIsSaid) {
  Outcome outcome = Run({"migrate-store"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("--from"));

  outcome = Run({"migrate-store", "--from", Old()});
  EXPECT_EQ(outcome.code, 10);
  EXPECT_THAT(outcome.err, HasSubstr(Path("old.db")));
  EXPECT_FALSE(std::filesystem::exists(Path("new.db"))) << "nothing is created for a source that is not there";

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

TEST_F(MigrateStoreTest, KilledAtAnyMomentItIsContinuedByRunningItAgain) {
  WriteHistory(Old(), 1500);
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 10; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
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
  EXPECT_EQ(last["copied"].get<int>() + last["unchanged"].get<int>(), 1500) << "no run was ever there in part";
  EXPECT_EQ(Contents(New()), Contents(Old()));
  EXPECT_EQ(Run({"schema", "status"}).code, 0) << "the indexes are there";
}

TEST_F(MigrateStoreTest, ADamagedRunIsNamedAndNothingIsHalfWritten) {
  WriteHistory(Old(), 40);
  const auto whole = Contents(Old());
  SQLite::Database(Path("old.db"), SQLite::OPEN_READWRITE)
      .exec("UPDATE flaky_test_failures SET failed_at = 'year!' WHERE id = (SELECT max(id) FROM flaky_test_failures)");
  const Outcome outcome = Run({"migrate-store", "--from", Old()});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("year!"));
  for (const auto& [id, digest] : Contents(New())) EXPECT_EQ(whole.at(id), digest);
}

TEST(Interrupt, TheFirstSignalIsOnlySeen) {
  const InterruptGuard guard;
  EXPECT_FALSE(InterruptGuard::Seen());
  raise(SIGINT);
  EXPECT_TRUE(InterruptGuard::Seen());
}

TEST(ProgressText, ShowsWhatIsKnown) {
  EXPECT_EQ(ProgressLine({412, 1000, 1236, 1'240'000}, 2.0),
            "412 of 1,000 runs  41%  1,236 failures  1.2 MB  206 runs/s  0:03 left");
  EXPECT_EQ(ProgressLine({412, 0, 0, 512}, 0), "412 runs  0 failures  512 B");
  EXPECT_EQ(ProgressLine({1000, 1000, 0, 0}, 1), "1,000 of 1,000 runs  100%  0 failures  0 B  1,000 runs/s");
}

TEST(ProgressText, IsABarOnATerminalOnly) {
  std::ostringstream terminal, log;
  TerminalProgress bar(terminal, true), lines(log, false);
  for (Progress* progress : {static_cast<Progress*>(&bar), static_cast<Progress*>(&lines)}) {
    progress->Update({500, 1000, 0, 0});
    progress->Done({1000, 1000, 0, 0});
  }
  EXPECT_THAT(terminal.str(), StartsWith("\r\033[K[############............] 500 of 1,000 runs  50%"));
  EXPECT_THAT(terminal.str(), testing::EndsWith("\r\033[K"));
  EXPECT_EQ(log.str(), "") << "a line every ten seconds";
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
}

}  // namespace
}  // namespace flaky
