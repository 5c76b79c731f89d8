// SPDX-License-Identifier: MIT

// `flaky doctor` on one machine: settings, an SQLite file, the spool, the program, the clock.

#include "cli/doctor.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include "cli/file_system.h"
#include "tests/cli/doctor_fixture.h"
#include "tests/support/journal_text.h"
#include "tests/support/own_mounts.h"

namespace flaky {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// On a small file system that causes no findings, independent of the machine's file systems.
TEST_F(DoctorTest, ANewMachineIsFine) {
  ASSERT_EQ(InOwnMounts([&] {
              MountSmall(Path("home"), "400m");
              std::filesystem::create_directories(Path("home/work"));
              std::filesystem::current_path(Path("home/work"));
              Set("FLAKY_TESTS_DB", Path("home/h.db"));
              Set("FLAKY_TESTS_SPOOL", Path("home/spool"));
              const json report = Examine(0);
              EXPECT_EQ(report["format"], 1);
              EXPECT_EQ(report["verdict"], "fine");
              for (const char* check : {"settings", "store", "permissions", "spool", "program", "watching", "git"}) {
                EXPECT_THAT(Found(report, check, "fine"), Not(IsEmpty())) << check;
              }
              const Outcome text = Run({"doctor"});
              EXPECT_EQ(text.code, 0);
              EXPECT_THAT(text.out, AllOf(HasSubstr("fine     store: sqlite:"), HasSubstr("\nno problems found\n")));
            }),
            "");
}

TEST_F(DoctorTest, AStoreInUseIsFineAndUnchanged) {
  Keep({BuildRecord("run-1").Build()});
  json report = Examine(Run({"doctor"}).code);
  EXPECT_THAT(Found(report, "store", "fine"), HasSubstr("SQLite 3."));
  EXPECT_THAT(Found(report, "schema", "fine"), HasSubstr("which is this program's"));
  EXPECT_THAT(Found(report, "permissions", "fine"), HasSubstr("read and write permission"));
  EXPECT_THAT(Found(report, "clock", "fine"), Not(IsEmpty()));

  // Another connection has written a run, which is only in the write-ahead log.
  const auto writer = OpenStore(ParseLocation("sqlite:" + Path("h.db")), OpenMode::kWrite);
  const std::vector<RunRecord> more{BuildRecord("run-2").Build()};
  writer->Write(more);
  ASSERT_TRUE(std::filesystem::exists(Path("h.db-wal")));
  report = Examine(Run({"doctor"}).code);
  EXPECT_THAT(Found(report, "schema", "fine"), HasSubstr("which is this program's"));

  // The log of a writer that died.
  std::filesystem::create_directories(Path("dead"));
  for (const char* name : {"h.db", "h.db-wal", "h.db-shm"})
    std::filesystem::copy_file(Path(name), Path("dead/") + name);
  Set("FLAKY_TESTS_DB", Path("dead/h.db"));
  report = Examine(Run({"doctor"}).code);
  EXPECT_THAT(Found(report, "schema", "fine"), HasSubstr("which is this program's"));
}

TEST_F(DoctorTest, TablesUnderAnotherPrefixAreReported) {
  Keep({BuildRecord("run-1").Build()});
  EXPECT_THAT(Found(Examine(Run({"doctor"}).code), "schema", "fine"), Not(HasSubstr("as well")));
  Set("FLAKY_TESTS_TABLE_PREFIX", "team_");
  const json report = Examine(Run({"doctor"}).code);
  EXPECT_THAT(Found(report, "schema", "fine"),
              AllOf(HasSubstr("'flaky_test_' exist as well"), HasSubstr("adopt --from-prefix 'flaky_test_'"),
                    HasSubstr("no tables yet")));
}

TEST_F(DoctorTest, TheSecondStoreOfADualWriteIsCheckedToo) {
  Set("FLAKY_TESTS_DUAL_DB", Path("nowhere/second.db"));
  json report = Examine(Run({"doctor"}).code);
  EXPECT_THAT(Found(report, "second store", "problem"), HasSubstr("nowhere"));
  Set("FLAKY_TESTS_DUAL_DB", Path("h.db"));
  report = Examine(2);
  EXPECT_THAT(Found(report, "second store", "problem"), HasSubstr("FLAKY_TESTS_DUAL_"));
}

TEST_F(DoctorTest, WorksIfEverythingIsBroken) {
  ASSERT_EQ(InOwnMounts([&] {
              WriteFile("config/flaky/config.toml", "windwo = 3\n");
              WriteFile("work/.flaky.toml", "this is not TOML");
              Unset("HOME");
              Unset("FLAKY_TESTS_DB");
              Set("XDG_CONFIG_HOME", Path("config"));
              Set("FLAKY_TESTS_WINDOW", "0");
              Set("FLAKY_TESTS_STORE", "postgres");
              Set("FLAKY_TESTS_CONNECTION_STRING", "postgres://someone:hunter2@127.0.0.1:1/nothing");
              std::filesystem::create_directories(Path("full"));
              std::filesystem::permissions(Path("full"), std::filesystem::perms(0700));
              MountSmall(Path("full"), "16k");
              std::filesystem::create_directories(Path("full/spool"));
              std::filesystem::permissions(Path("full/spool"), std::filesystem::perms(0700));
              WriteFile("full/filler", std::string(64 << 10, 'x'));
              Set("FLAKY_TESTS_SPOOL", Path("full/spool"));
              const json report = Examine(2);
              EXPECT_THAT(Found(report, "settings", "problem"),
                          AllOf(HasSubstr(".flaky.toml:1"), HasSubstr("did you mean `window`"),
                                HasSubstr("FLAKY_TESTS_WINDOW (in the environment): invalid value `0`")));
              EXPECT_THAT(Found(report, "settings", "warning"), HasSubstr("HOME is not set"));
              EXPECT_THAT(Found(report, "store", "problem"), HasSubstr("make sure that the server is running"));
              EXPECT_THAT(Found(report, "spool", "problem"), HasSubstr("(tmpfs) is full"));
              EXPECT_THAT(Found(report, "git", "fine"), Not(IsEmpty()));
              EXPECT_THAT(output(), Not(HasSubstr("hunter2")));
            }),
            "");
}

TEST_F(DoctorTest, ACurrentFolderThatIsGoneIsAWarning) {
  std::filesystem::create_directories(Path("gone"));
  std::filesystem::current_path(Path("gone"));
  std::filesystem::remove(Path("gone"));
  EXPECT_THAT(Found(Examine(1), "settings", "warning"), HasSubstr("current folder"));
}

TEST_F(DoctorTest, SettingsAreCheckedAndSecretsAreNotShown) {
  Set("FLAKY_TESTS_TRESHOLD", "a-secret-by-mistake");
  Set("FLAKY_TESTS_AUTH_TOKEN", "very-secret-token");
  Set("FLAKY_TESTS_DISABLE", "1");
  Set("FLAKY_TESTS_DELIVERY_TIMEOUT", "0");
  Set("FLAKY_TESTS_LOG_FILE", Path("nowhere/log"));
  const json report = Examine(1);
  EXPECT_THAT(
      Found(report, "settings", "warning"),
      AllOf(
          HasSubstr("FLAKY_TESTS_TRESHOLD is set, but is not a setting of flaky\tdid you mean FLAKY_TESTS_THRESHOLD?"),
          HasSubstr("record nothing"), HasSubstr("deliver nothing by themselves"),
          HasSubstr("nowhere/log, which cannot be written")));
  EXPECT_THAT(output(), Not(HasSubstr("secret")));
}

TEST_F(DoctorTest, ASecretThatOtherUsersCanReadIsAProblem) {
  WriteFile("home/.config/flaky/config.toml", "auth_token = \"very-secret-token\"\n");
  std::filesystem::permissions(Path("home/.config/flaky/config.toml"), std::filesystem::perms(0644));
  EXPECT_THAT(Found(Examine(2), "settings", "problem"), HasSubstr("chmod 600"));
  EXPECT_THAT(output(), Not(HasSubstr("very-secret-token")));
}

TEST_F(DoctorTest, HostileTextIsEscaped) {
  Set("FLAKY_TESTS_WINDOW", "\x1b]0;owned\x07\n7");
  Set("FLAKY_TESTS_\x1b[31mRED", "1");
  const Outcome outcome = Run({"doctor"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("\\x1b[31mRED"), Not(HasSubstr("owned")), Not(HasSubstr("\x1b"))));
}

TEST_F(DoctorTest, EachProblemOfAFileHasItsExitCode) {
  Set("FLAKY_TESTS_DB", Path("nowhere/h.db"));
  EXPECT_THAT(Found(Examine(10), "store", "problem"), HasSubstr("create the folder " + Path("nowhere")));

  WriteFile("text.db", std::string(5000, 'x'));
  Set("FLAKY_TESTS_DB", Path("text.db"));
  EXPECT_THAT(Found(Examine(2), "store", "problem"), HasSubstr("SQLITE_NOTADB"));

  Set("FLAKY_TESTS_DB", Path("h.db"));
  Keep({BuildRecord("run-1").Build()});
  SQLite::Database(Path("h.db"), SQLite::OPEN_READWRITE).exec("DROP TABLE flaky_test_parts");
  EXPECT_THAT(Found(Examine(1), "schema", "problem"), HasSubstr("missing: flaky_test_parts"));

  SQLite::Database(Path("h.db"), SQLite::OPEN_READWRITE)
      .exec("INSERT INTO flaky_test_schema (version, name, checksum, applied_at) VALUES (900, 'later', 'x', 'x')");
  EXPECT_THAT(Found(Examine(13), "schema", "problem"), HasSubstr("version 900 was created by a newer flaky"));
}

TEST_F(DoctorTest, AFileThatMayNotBeWrittenIsReported) {
  Keep({BuildRecord("run-1").Build()});
  std::filesystem::permissions(Path("h.db"), std::filesystem::perms(0444));
  const Outcome outcome = RunWithoutPrivileges({"doctor"});
  EXPECT_EQ(outcome.code, 12) << outcome.out;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("problem  permissions: this user lacks permission for: writing the file"),
                                 HasSubstr("schema: version"), HasSubstr("-> give this user")));
}

TEST_F(DoctorTest, AnUnknownStoreIsReportedOnce) {
  Set("FLAKY_TESTS_STORE", "postgresql");
  EXPECT_THAT(Found(Examine(2), "settings", "problem"), HasSubstr("invalid value; expected sqlite"));
}

TEST_F(DoctorTest, TheSpoolIsReported) {
  std::filesystem::create_directories(Path("spool/rejected"));
  std::filesystem::permissions(Path("spool"), std::filesystem::perms(0755));
  PutJournal(Path("spool"), 1, HeaderText(1).Line() + kPassedEnd);
  PutJournal(Path("spool"), 2, HeaderText(2).Line() + kPassedEnd);
  PutJournal(Path("spool"), 3, HeaderText(3).Set("flaky_journal", "99").Line());
  PutJournal(Path("spool"), 4, "{\"no\": \"journal\"}\n");
  WriteFile("spool/rejected/x.jsonl", "");
  WriteFile("spool/rejected/x.jsonl.reason", "because of \x1b[31mthat\nand more\n");
  const json report = Examine(1);
  EXPECT_THAT(Found(report, "spool", "warning"),
              AllOf(HasSubstr("2 journals of 2 runs are waiting to be delivered, the oldest since 2023-11-14"),
                    HasSubstr("1 journal that cannot be read"), HasSubstr("1 journal of a newer recorder"),
                    HasSubstr("x.jsonl for example: because of \x1b[31mthat\tlook at"), HasSubstr("chmod 700")));
  EXPECT_THAT(Run({"doctor"}).out, Not(HasSubstr("\x1b")));
}

TEST_F(DoctorTest, ASpoolThatCannotBeUsedIsAProblem) {
  WriteFile("spool", "a file");
  EXPECT_THAT(Found(Examine(1), "spool", "problem"), HasSubstr("is not a folder"));
  WriteFile("plain", "a file");
  Set("FLAKY_TESTS_SPOOL", Path("plain/spool"));
  EXPECT_THAT(Found(Examine(1), "spool", "problem"), HasSubstr("cannot be created"));
}

TEST_F(DoctorTest, TheProgramThatTestProgramsStartIsChecked) {
  const auto script = [&](const std::string& text) {
    WriteFile("other", "#!/bin/sh\n" + text + "\n");
    std::filesystem::permissions(Path("other"), std::filesystem::perms(0755));
    Set("FLAKY_TESTS_PROGRAM", Path("other"));
    return Examine(1);
  };
  EXPECT_THAT(Found(script("echo flaky 99.0"), "program", "warning"), HasSubstr("is flaky 99.0, and this one"));
  EXPECT_THAT(Found(script("exit 3"), "program", "problem"), HasSubstr("which is not flaky"));
  Set("FLAKY_TESTS_PROGRAM", "no-such-program");
  EXPECT_THAT(Found(Examine(1), "program", "problem"), HasSubstr("which is not in PATH"));
}

TEST_F(DoctorTest, ARunFromTheFutureIsAWarning) {
  Keep({BuildRecord("run-1").StartedAt(Timestamp::Now() + kMicrosPerDay).Build()});
  EXPECT_THAT(Found(Examine(1), "clock", "warning"), HasSubstr("in the future"));
}

TEST(DoctorJudgesTest, Clocks) {
  const auto judged = [](int64_t ahead_us, int round_trip_us) {
    StoreHealth health;
    health.clock_ahead_us = ahead_us;
    health.round_trip = std::chrono::microseconds(round_trip_us);
    Findings findings;
    JudgeClock(health, Timestamp::Now(), "clock", findings);
    EXPECT_EQ(findings.size(), 1u);
    return findings.front();
  };
  EXPECT_EQ(judged(4'000'000, 1'000).verdict, Verdict::kFine);
  EXPECT_EQ(judged(-4'000'000, 1'000).verdict, Verdict::kFine);
  EXPECT_EQ(judged(6'000'000, 2'000'000).verdict, Verdict::kFine) << "the answer may have taken that long";
  EXPECT_EQ(judged(6'000'000, 1'000).verdict, Verdict::kWarning);
  EXPECT_THAT(judged(65'000'000, 1'000).found, HasSubstr("1m 05s fast, compared with this machine's"));
  EXPECT_THAT(judged(-65'000'000, 1'000).found, HasSubstr("1m 05s slow, compared with this machine's"));
}

TEST(DoctorJudgesTest, FileSystems) {
  for (const char* kind : {"nfs4", "cifs", "fuse.sshfs", "9p"}) EXPECT_TRUE(IsOverNetwork(kind)) << kind;
  for (const char* kind : {"ext4", "tmpfs", "overlay", "xfs", ""}) EXPECT_FALSE(IsOverNetwork(kind)) << kind;
  const auto system = FileSystemOf("/proc");
  ASSERT_TRUE(system);
  EXPECT_EQ(system->kind, "proc");
  EXPECT_FALSE(FileSystemOf("/proc/nothing/there"));
  EXPECT_EQ(NearestThatIs("/proc/nothing/there"), "/proc");
}

TEST_F(DoctorTest, AReadOnlyPlaceIsAProblem) {
  ASSERT_EQ(InOwnMounts([&] {
              MountSmall(Path("home"), "400m");
              MakeReadOnly(Path("home"));
              Set("FLAKY_TESTS_SPOOL", Path("home/spool"));
              EXPECT_THAT(Found(Examine(1), "spool", "problem"), HasSubstr("read-only"));
            }),
            "");
}

}  // namespace
}  // namespace flaky
