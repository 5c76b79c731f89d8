// SPDX-License-Identifier: MIT

// What a repository may decide, and that the journals of several projects in one spool never mix.

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include "delivery/subprocess.h"
#include "spool/dual_queue.h"
#include "tests/cli/program_fixture.h"
#include "tests/support/journal_text.h"

namespace flaky {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr unsigned kOther = 65534;

class ProjectBoundariesTest : public ProgramTest {
 protected:
  ProjectBoundariesTest() {
    Unset("FLAKY_TESTS_DB");
    Unset("FLAKY_TESTS_PROJECT");
    Set("FLAKY_TESTS_SPOOL", Path("spool"));
    MakeProject("a", "");
    MakeProject("b", "db = 'own.db'\n");
  }

  void MakeProject(const std::string& name, const std::string& settings) const {
    WriteFile(name + "/.git/HEAD", "ref: refs/heads/main\n");
    if (!settings.empty()) WriteFile(name + "/.flaky.toml", settings);
  }

  // Leaves the journal of a test program that ran in this folder.
  void Record(uint64_t number, const std::string& folder, const std::string& ctest = "") const {
    HeaderText header = DeadHeader(number);
    header.SetText("cwd", Path(folder));
    if (!ctest.empty()) header.Set("ctest_pid", ctest).Set("ctest_start", "1");
    PutJournal(Path("spool"), number, header.Line() + "[\"S.T\",1,1000,\"passed\",1]\n" + kPassedEnd);
  }

  Outcome In(const std::string& folder, const std::vector<std::string>& arguments) const {
    fs::current_path(Path(folder));
    return Run(arguments);
  }

  // Returns how many runs the file has; 0 for a missing file.
  int64_t Runs(const std::string& file) const {
    if (!fs::exists(Path(file))) return 0;
    return OpenStore(ParseLocation("sqlite:" + Path(file)), OpenMode::kRead)->Count({}).runs;
  }

  const std::string default_ = "home/.local/state/flaky/history.db";
};

TEST_F(ProjectBoundariesTest, AJournalWaitsForTheStoreOfItsProject) {
  Record(1, "a");
  Record(2, "b/src");
  const Outcome in_b = In("b", {"deliver"});
  EXPECT_EQ(in_b.code, 0) << in_b.err;
  EXPECT_THAT(in_b.out,
              AllOf(HasSubstr("delivered 1 run"), HasSubstr("1 run of other projects left for their stores")));
  EXPECT_EQ(Runs("b/own.db"), 1);
  EXPECT_EQ(Runs(default_), 0);
  EXPECT_THAT(In("b", {"doctor"}).out, HasSubstr("1 run of other projects is waiting"));
  Record(3, "b");
  EXPECT_THAT(In("a", {"deliver"}).out, HasSubstr("delivered 1 run"));
  EXPECT_EQ(Runs("b/own.db"), 1);
  EXPECT_EQ(Runs(default_), 1);
  EXPECT_THAT(In("a", {"deliver", "--dry-run"}).out, HasSubstr("nothing to deliver; 1 run of other projects"));
  EXPECT_THAT(In("b", {"runs", "--all"}).err, IsEmpty()) << "the other run is not a problem here";
  EXPECT_EQ(Runs("b/own.db"), 2);
  EXPECT_THAT(InSpool(), IsEmpty());
}

TEST_F(ProjectBoundariesTest, TwoProjectsWithOwnStoresNeverMix) {
  MakeProject("a", "db = 'own.db'\n");
  fs::create_directories(Path("nowhere"));
  for (uint64_t i = 0; i < 6; ++i) Record(i, i % 2 == 0 ? "a" : "b");
  EXPECT_THAT(In("nowhere", {"deliver"}).out, HasSubstr("6 runs of other projects"));
  In("a", {"deliver"});
  EXPECT_EQ(Runs("a/own.db"), 3);
  EXPECT_EQ(Runs("b/own.db"), 0);
  In("b", {"deliver"});
  EXPECT_EQ(Runs("b/own.db"), 3);
  EXPECT_EQ(Runs(default_), 0);
}

TEST_F(ProjectBoundariesTest, TheEnvironmentsStoreGetsEverything) {
  Record(1, "a");
  Record(2, "b");
  Set("FLAKY_TESTS_DB", Path("h.db"));
  In("b", {"deliver"});
  EXPECT_EQ(Runs("h.db"), 2);
  EXPECT_THAT(InSpool(), IsEmpty());
}

TEST_F(ProjectBoundariesTest, TheUsersStoreGetsWhatNoProjectClaims) {
  WriteFile("home/.config/flaky/config.toml", "db = '" + Path("mine.db") + "'\n");
  Record(1, "a");
  Record(2, "b");
  In("a", {"deliver"});
  EXPECT_EQ(Runs("mine.db"), 1);
  In("b", {"deliver"});
  EXPECT_EQ(Runs("mine.db"), 1);
  EXPECT_EQ(Runs("b/own.db"), 1);
}

TEST_F(ProjectBoundariesTest, OneRunIdForTwoProjectsDoesNotMixThem) {
  for (const uint64_t number : {1, 2, 3, 4}) {
    HeaderText header = DeadHeader(number);
    header.SetText("cwd", Path(number % 2 == 0 ? "a" : "b")).SetText("run_id", "pipeline");
    PutJournal(Path("spool"), number,
               header.Line() + "[\"S.T" + std::to_string(number) + "\",1,1000,\"passed\",1]\n" + kPassedEnd);
  }
  EXPECT_THAT(In("b", {"deliver"}).out, AllOf(HasSubstr("1 run (2 parts)"), HasSubstr("1 run of other projects")));
  EXPECT_THAT(In("a", {"deliver"}).out, HasSubstr("1 run (2 parts)"));
  EXPECT_EQ(Runs("b/own.db"), 1);
  EXPECT_EQ(Runs(default_), 1);
  EXPECT_THAT(InSpool(), IsEmpty());
}

TEST_F(ProjectBoundariesTest, AnInvalidProjectFileKeepsItsJournals) {
  Record(1, "b");
  WriteFile("b/.flaky.toml", "dbb = 'own.db'\n");
  EXPECT_THAT(In("a", {"deliver"}).out, HasSubstr("1 run of other projects"));
  EXPECT_EQ(Runs(default_), 0);
  WriteFile("b/.flaky.toml", "db = 'own.db'\n");
  In("b", {"deliver"});
  EXPECT_EQ(Runs("b/own.db"), 1);
}

TEST_F(ProjectBoundariesTest, TheSecondStoreOfAProjectGetsOnlyItsRuns) {
  WriteFile("b/.flaky.toml", "dual_db = 'copy.db'\n");
  Record(1, "a");
  Record(2, "b");
  EXPECT_THAT(In("b", {"deliver"}).out, HasSubstr("1 run of other projects"));
  EXPECT_EQ(Runs("b/copy.db"), 1);
  In("a", {"deliver"});
  EXPECT_EQ(Runs("b/copy.db"), 1);
  EXPECT_EQ(Runs(default_), 2);
}

TEST_F(ProjectBoundariesTest, WhatWaitsForTheUsersSecondStoreStaysOutOfAProjects) {
  WriteFile("home/.config/flaky/config.toml", "dual_db = '" + Path("away/second.db") + "'\n");
  Record(1, "a");
  In("a", {"deliver"});
  ASSERT_THAT(ListWaiting(Path("spool")), SizeIs(1));
  WriteFile("b/.flaky.toml", "db = 'own.db'\ndual_db = 'copy.db'\n");
  Record(2, "b");
  In("b", {"deliver"});
  EXPECT_EQ(Runs("b/own.db"), 1);
  EXPECT_EQ(Runs("b/copy.db"), 1);
  EXPECT_THAT(ListWaiting(Path("spool")), SizeIs(1));
  fs::create_directories(Path("away"));
  In("a", {"deliver"});
  EXPECT_EQ(Runs("away/second.db"), 1);
}

// What `flaky run` hands down holds for its run, and not for what else waits.
TEST_F(ProjectBoundariesTest, ACommandUnderFlakyRunTakesOnlyTheRun) {
  WriteFile("a/.flaky.toml", "db = 'own.db'\n");
  Record(1, "b");
  Record(2, "nowhere");
  const Outcome outcome =
      In("a", {"run", "--", "sh", "-c", "cd / && '" FLAKY_PROGRAM "' deliver > '" + Path("said") + "'; exit 3"});
  EXPECT_EQ(outcome.code, 3) << outcome.err;
  EXPECT_THAT(Content(Path("said")), HasSubstr("2 runs of other projects"));
  EXPECT_EQ(Runs("b/own.db"), 0);
  EXPECT_EQ(Runs(default_), 0);
  EXPECT_EQ(Runs("a/own.db"), 1) << "the run of the command, which failed without a test";
  EXPECT_THAT(InSpool(), SizeIs(2));
}

TEST_F(ProjectBoundariesTest, TheTestsOfOneCtestGoTogetherWhereverTheyRan) {
  fs::create_directories(Path("scratch"));
  Record(1, "scratch", "99999998");
  Record(2, "b", "99999998");
  Record(3, "scratch");
  const CommandOutput output = RunCommand(
      {"sh", "-c", "cd '" + Path("b") + "' && exec '" FLAKY_PROGRAM "' deliver --after-ctest 99999998-1 3>&1"},
      ThisEnvironment(), std::chrono::steady_clock::now() + std::chrono::minutes(5), 1000);
  EXPECT_TRUE(output.succeeded);
  EXPECT_EQ(Runs("b/own.db"), 1) << "one run";
  EXPECT_THAT(InSpool(), SizeIs(1));
}

TEST_F(ProjectBoundariesTest, AProjectsDatabaseIsInTheProject) {
  fs::create_directories(Path("a/build"));
  fs::create_directories(Path("outside"));
  fs::create_directory_symlink(Path("outside"), Path("a/folder"));
  fs::create_symlink(Path("outside/x.db"), Path("a/dangling.db"));
  fs::create_symlink("build/y.db", Path("a/within.db"));
  fs::create_symlink(Path("outside/x.db"), Path("a/plain.db-wal"));
  Record(1, "a");
  const auto before = Everything().size();
  for (const std::string path : {"../x.db", "../b/own.db", "build/../../outside/x.db", "~/x.db", "/tmp/x.db", ".",
                                 "folder/x.db", "dangling.db", "within.db", "plain.db"}) {
    for (const std::string key : {"db", "dual_db"}) {
      WriteFile("a/.flaky.toml", key + " = '" + path + "'\n");
      const Outcome config = In("a", {"config"});
      EXPECT_EQ(config.code, 2) << path;
      EXPECT_THAT(config.err, AllOf(HasSubstr("a/.flaky.toml:1"), HasSubstr("in its own folder"))) << path;
      EXPECT_THAT(In("a", {"doctor"}).out, HasSubstr("in its own folder"));
      if (key != "db") continue;
      EXPECT_EQ(In("a", {"deliver"}).code, 2) << path;
      EXPECT_EQ(In("a", {"runs"}).code, 2) << path;
      const Outcome run = In("a", {"run", "--", "sh", "-c", "echo \"<$FLAKY_TESTS_DB>\" > '" + Path("said") + "'"});
      EXPECT_EQ(run.code, 0);
      EXPECT_EQ(Content(Path("said")), "<>\n") << path;
      fs::remove(Path("said"));
      fs::remove_all(Path("spool"));
      Record(1, "a");
    }
  }
  fs::remove(Path("a/.flaky.toml"));
  EXPECT_EQ(Everything().size(), before);
  WriteFile("a/.flaky.toml", "db = 'build/../build/x.db'\n");
  EXPECT_EQ(In("a", {"deliver"}).code, 0);
  EXPECT_EQ(Runs("a/build/x.db"), 1);
}

TEST_F(ProjectBoundariesTest, AProjectMayNotNameAnotherProgramsDatabase) {
  SQLite::Database(Path("a/cookies.sqlite"), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
      .exec("CREATE TABLE cookies (host TEXT)");
  const std::string before = Content(Path("a/cookies.sqlite"));
  WriteFile("a/.flaky.toml", "db = 'cookies.sqlite'\n");
  Record(1, "a");
  const Outcome outcome = In("a", {"deliver"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("another program's database"));
  EXPECT_THAT(In("a", {"doctor"}).out, HasSubstr("another program's database"));
  EXPECT_EQ(Content(Path("a/cookies.sqlite")), before);
  EXPECT_THAT(InSpool(), SizeIs(1));
}

// A project's file of another user, in each way in which it can be one.
class ForeignProjectTest : public ProjectBoundariesTest {
 protected:
  void SetUp() override { ASSERT_EQ(::geteuid(), 0u) << "this test needs two users: run it as root"; }

  void ExpectLeftOut(const std::string& what, const std::string& folder = "b/src") const {
    fs::create_directories(Path(folder));
    const Outcome config = In(folder, {"config"});
    EXPECT_EQ(config.code, 0) << what;
    EXPECT_THAT(config.err, AllOf(HasSubstr("b/.flaky.toml is left out: "),
                                  HasSubstr("belongs to another user (65534)"), HasSubstr("change the owner")))
        << what;
    EXPECT_THAT(Lines(config.err), SizeIs(1)) << what;
    EXPECT_THAT(config.out, Not(HasSubstr("own.db"))) << what;
    EXPECT_THAT(In(folder, {"config", "--json"}).out, HasSubstr("\"left_out\": \"" + Path("b/.flaky.toml")));
    const Outcome doctor = In(folder, {"doctor"});
    EXPECT_THAT(doctor.out, HasSubstr("is left out")) << what;
    EXPECT_THAT(doctor.err, IsEmpty()) << what;
    Record(1, folder);
    EXPECT_THAT(In(folder, {"deliver"}).err, HasSubstr("is left out")) << what;
    EXPECT_FALSE(fs::exists(Path("b/own.db"))) << what;
    EXPECT_GE(Runs(default_), 1) << what;
  }
  void ExpectCounts(const std::string& what) const {
    const Outcome config = In("b", {"config"});
    EXPECT_THAT(config.err, IsEmpty()) << what;
    EXPECT_THAT(config.out, HasSubstr("own.db")) << what;
  }
};

TEST_F(ForeignProjectTest, IsLeftOut) {
  ExpectCounts("as it is");
  for (const std::string part : {"b/.flaky.toml", "b", "b/.git"}) {
    ASSERT_EQ(::chown(Path(part).c_str(), kOther, kOther), 0);
    ExpectLeftOut(part);
    ExpectLeftOut(part, "b");
    ASSERT_EQ(::chown(Path(part).c_str(), 0, 0), 0);
  }
  ExpectCounts("after that");
}

TEST_F(ForeignProjectTest, LinksAndWorktreesCountAsWhatTheyAre) {
  WriteFile("file", "db = 'own.db'\n");
  fs::remove(Path("b/.flaky.toml"));
  fs::create_symlink(Path("file"), Path("b/.flaky.toml"));
  ExpectCounts("a link");
  ASSERT_EQ(::chown(Path("file").c_str(), kOther, kOther), 0);
  ExpectLeftOut("a link to another user's file");
  ASSERT_EQ(::chown(Path("file").c_str(), 0, 0), 0);
  ASSERT_EQ(::lchown(Path("b/.flaky.toml").c_str(), kOther, kOther), 0);
  ExpectLeftOut("another user's link");
  ASSERT_EQ(::lchown(Path("b/.flaky.toml").c_str(), 0, 0), 0);

  fs::rename(Path("b/.git"), Path("git"));
  for (const bool as_link : {true, false}) {
    if (as_link) {
      fs::create_directory_symlink(Path("git"), Path("b/.git"));
    } else {
      WriteFile("b/.git", "gitdir: ../git\n");
    }
    ExpectCounts("a repository elsewhere");
    ASSERT_EQ(::chown(Path("git").c_str(), kOther, kOther), 0);
    ExpectLeftOut("another user's repository elsewhere");
    ASSERT_EQ(::chown(Path("git").c_str(), 0, 0), 0);
    fs::remove(Path("b/.git"));
  }
}

TEST_F(ForeignProjectTest, TheCallerOfSudoIsTrusted) {
  for (const std::string part : {"b/.flaky.toml", "b", "b/.git"}) {
    ASSERT_EQ(::chown(Path(part).c_str(), kOther, kOther), 0);
  }
  for (const char* other : {"", "65533", "65534x", "-1"}) {
    ::setenv("SUDO_UID", other, 1);
    ExpectLeftOut(other);
  }
  ::setenv("SUDO_UID", "65534", 1);
  ExpectCounts("by sudo");
  ::unsetenv("SUDO_UID");
}

TEST_F(ForeignProjectTest, TestProgramsSayNothingOfIt) {
  ASSERT_EQ(::chown(Path("b/.flaky.toml").c_str(), kOther, kOther), 0);
  Record(1, "b");
  const CommandOutput output =
      RunCommand({"sh", "-c", "cd '" + Path("b") + "' && exec '" FLAKY_PROGRAM "' deliver --quiet --answer 2>&1"},
                 ThisEnvironment(), std::chrono::steady_clock::now() + std::chrono::minutes(5), 1000);
  EXPECT_EQ(output.text, "\n");
  EXPECT_EQ(Runs(default_), 1);
}

// Another user's repository around a folder in a shared folder decides nothing there.
TEST_F(ForeignProjectTest, AroundAFolderItDoesNotChangeThatFoldersFile) {
  WriteFile("b/mine/.flaky.toml", "db = 'mine.db'\n");
  for (const std::string part : {"b/.flaky.toml", "b", "b/.git"}) {
    ASSERT_EQ(::chown(Path(part).c_str(), kOther, kOther), 0);
  }
  const Outcome config = In("b/mine", {"config"});
  EXPECT_EQ(config.code, 0);
  EXPECT_THAT(config.err, IsEmpty());
  EXPECT_THAT(config.out, HasSubstr("mine/mine.db"));
}

}  // namespace
}  // namespace flaky
