// SPDX-License-Identifier: MIT

// What other users of the machine can and cannot do to a user's spool, log and state folder.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/cli/program_fixture.h"
#include "tests/support/journal_text.h"
#include "tests/support/own_mounts.h"

namespace flaky {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr unsigned kAlice = 65534;  // whom RunWithoutPrivileges is
constexpr unsigned kBob = 65533;

class UserBoundariesTest : public ProgramTest {
 protected:
  void Record(uint64_t number, const std::string& spool = "spool") const {
    PutJournal(Path(spool), number, DeadHeader(number).Line() + "[\"S.T\",1,1000,\"passed\",1]\n" + kPassedEnd);
  }
  int64_t Runs(const std::string& file) const {
    if (!fs::exists(Path(file))) return 0;
    return OpenStore(ParseLocation("sqlite:" + Path(file)), OpenMode::kRead)->Count({}).runs;
  }
  void Give(const std::string& name, unsigned user) const {
    ASSERT_EQ(::lchown(Path(name).c_str(), user, user), 0) << name;
  }
};

// alice and bob share a spool, as in /tmp; these tests are root and become alice.
class SharedSpoolTest : public UserBoundariesTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(::geteuid(), 0u) << "this test needs two users: run it as root";
    fs::create_directories(Path("spool"));
    ::chmod(Path("spool").c_str(), 01777);
    fs::create_directories(Path("alice"));
    Give("alice", kAlice);
    Set("HOME", Path("alice"));
    Set("FLAKY_TESTS_SPOOL", Path("spool"));
    Set("FLAKY_TESTS_DB", Path("alice/h.db"));
    Set("FLAKY_TESTS_DELIVERY_TIMEOUT", "2");
  }
  // A journal of alice, which is a part by itself or, under a ctest, of a group.
  void RecordOfAlice(uint64_t number, bool under_ctest = false) const {
    HeaderText header = DeadHeader(number);
    if (under_ctest) header.Set("ctest_pid", "99999998").Set("ctest_start", "1");
    PutJournal(Path("spool"), number, header.Line() + "[\"S.T\",1,1000,\"passed\",1]\n" + kPassedEnd);
    Give("spool/" + TestId(number) + ".jsonl", kAlice);
  }
};

TEST_F(SharedSpoolTest, AnotherUsersLockStopsNoDelivery) {
  uint64_t number = 0;
  for (const std::string taken : {".lock", ".lock-65534", ".lock-65534.1"}) {
    // Each is one more name that bob has taken and keeps locked.
    WriteFile("spool/" + taken, "");
    ::chmod(Path("spool/" + taken).c_str(), 0666);
    Give("spool/" + taken, kBob);
    const int fd = ::open(Path("spool/" + taken).c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_EQ(::flock(fd, LOCK_EX), 0);
    RecordOfAlice(++number);
    const Outcome outcome = RunWithoutPrivileges({"deliver"});
    EXPECT_EQ(outcome.code, 0) << taken << ": " << outcome.err;
    EXPECT_EQ(Runs("alice/h.db"), static_cast<int64_t>(number)) << taken;
    ::close(fd);
    for (const char* own : {".lock-65534", ".lock-65534.1", ".lock-65534.2"}) {
      struct stat status {};
      if (::lstat(Path(std::string("spool/") + own).c_str(), &status) == 0 && status.st_uid == kAlice) {
        fs::remove(Path(std::string("spool/") + own));
      }
    }
  }
}

TEST_F(SharedSpoolTest, AnotherKindOfFileInPlaceOfTheLockStopsNoDelivery) {
  const std::vector<std::function<void(const std::string&)>> kinds = {
      [](const std::string& path) { ::mkfifo(path.c_str(), 0666); },
      [](const std::string& path) { fs::create_directory(path); },
      [](const std::string& path) { fs::create_symlink("/dev/null", path); },
      [this](const std::string& path) { fs::create_symlink(Path("alice/precious"), path); },
      [](const std::string& path) { ::close(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0000)); }};
  uint64_t number = 0;
  for (const auto& make : kinds) {
    make(Path("spool/.lock"));
    Give("spool/.lock", kBob);
    RecordOfAlice(++number);
    const Outcome outcome = RunWithoutPrivileges({"deliver"});
    EXPECT_EQ(outcome.code, 0) << number << ": " << outcome.err;
    EXPECT_EQ(Runs("alice/h.db"), static_cast<int64_t>(number));
    fs::remove(Path("spool/.lock"));
  }
  EXPECT_FALSE(fs::exists(Path("alice/precious")));
}

// alice keeps to the name that she uses, although bob frees another one.
TEST_F(SharedSpoolTest, AFreedNameDoesNotSplitTheLock) {
  WriteFile("spool/.lock", "");
  Give("spool/.lock", kBob);
  RecordOfAlice(1);
  EXPECT_EQ(RunWithoutPrivileges({"deliver"}).code, 0);
  fs::remove(Path("spool/.lock"));
  const int fd = ::open(Path("spool/.lock-65534").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  ASSERT_EQ(::flock(fd, LOCK_EX), 0);
  RecordOfAlice(2);
  EXPECT_EQ(RunWithoutPrivileges({"deliver"}).code, 11);
  ::close(fd);
  EXPECT_EQ(RunWithoutPrivileges({"deliver"}).code, 0);
  EXPECT_EQ(Runs("alice/h.db"), 2);
}

TEST_F(SharedSpoolTest, AnotherUsersFoldersStopNoDelivery) {
  for (const char* name : {"outbox", "rejected", "dual", "outbox-65534", "rejected-65534", "dual-65534"}) {
    fs::create_directories(Path(std::string("spool/") + name));
    Give(std::string("spool/") + name, kBob);
  }
  Set("FLAKY_TESTS_DUAL_DB", Path("alice/copy.db"));
  for (uint64_t number = 1; number <= 3; ++number) RecordOfAlice(number, true);
  PutJournal(Path("spool"), 4, "damaged\n");
  Give("spool/" + TestId(4) + ".jsonl", kAlice);
  const Outcome outcome = RunWithoutPrivileges({"deliver"});
  EXPECT_EQ(outcome.code, 3) << "one is rejected";
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("not JSON"), HasSubstr("spool/rejected-65534.1/")));
  EXPECT_EQ(Runs("alice/h.db"), 1) << "one run of three programs";
  EXPECT_EQ(Runs("alice/copy.db"), 1);
  EXPECT_TRUE(fs::exists(Path("spool/rejected-65534.1/" + TestId(4) + ".jsonl")));
  for (const char* name : {"outbox", "rejected", "dual"}) EXPECT_TRUE(fs::is_empty(Path(std::string("spool/") + name)));
}

TEST_F(UserBoundariesTest, TheLogIsAFileOfThisUser) {
  ASSERT_EQ(::geteuid(), 0u) << "this test needs two users: run it as root";
  Keep({});
  Set("FLAKY_TESTS_LOG_FILE", Path("log"));
  const auto expect_refused = [&](const std::string& what) {
    const Outcome outcome = Run({"runs"});
    EXPECT_EQ(outcome.code, 6) << what;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("FLAKY_TESTS_LOG_FILE: cannot write " + Path("log") + ": it is a link, "),
                                   HasSubstr("has no run yet")))
        << what;
    EXPECT_THAT(Run({"doctor"}).out, HasSubstr(Path("log") + ", which cannot be written: it is a link, ")) << what;
  };
  WriteFile("log", "");
  ::chmod(Path("log").c_str(), 0666);
  Give("log", kBob);
  expect_refused("another user's file");
  EXPECT_EQ(Content(Path("log")), "");
  fs::remove(Path("log"));
  WriteFile("victim", "");
  for (const std::string target : {"victim", "missing"}) {
    fs::create_symlink(Path(target), Path("log"));
    expect_refused("a link to " + target);
    fs::remove(Path("log"));
  }
  EXPECT_EQ(Content(Path("victim")), "");
  EXPECT_FALSE(fs::exists(Path("missing")));
  ::mkfifo(Path("log").c_str(), 0600);
  expect_refused("a pipe without a reader");
  const int reader = ::open(Path("log").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  expect_refused("a pipe");
  char byte = 0;
  EXPECT_LE(::read(reader, &byte, 1), 0);
  ::close(reader);
  fs::remove(Path("log"));
  fs::create_directory(Path("log"));
  EXPECT_THAT(Run({"runs"}).err, HasSubstr("FLAKY_TESTS_LOG_FILE: cannot write "));
  fs::remove(Path("log"));
  EXPECT_THAT(Run({"runs"}).err, IsEmpty());
  EXPECT_THAT(Content(Path("log")), HasSubstr("has no run yet"));
}

// Without a home, the state folder is in /tmp, and another user may have created it.
TEST_F(UserBoundariesTest, WithoutAHomeAFolderOfAnotherUserIsNotUsed) {
  const std::string why = InOwnMounts([&] {
    const std::string state = "/tmp/flaky-" + std::to_string(::getuid());
    Keep({BuildRecord("r1").Project("demo").Build()});
    const std::string exported = "/var/tmp/flaky-boundaries-" + std::to_string(::getpid()) + ".jsonl";
    ASSERT_EQ(Run({"export", exported}).code, 0);
    MountSmall("/tmp", "8m");
    ::chmod("/tmp", 01777);
    for (const char* name : {"HOME", "FLAKY_TESTS_DB", "FLAKY_TESTS_SPOOL"}) Unset(name);
    ASSERT_EQ(::chdir("/"), 0);
    for (const bool as_link : {true, false}) {
      if (as_link) {
        fs::create_directory("/tmp/elsewhere");
        fs::create_directory_symlink("/tmp/elsewhere", state);
      } else {
        ASSERT_EQ(::geteuid(), 0u) << "this test needs two users: run it as root";
        fs::create_directory(state);
        ASSERT_EQ(::chown(state.c_str(), kBob, kBob), 0);
        ::chmod(state.c_str(), 0777);
      }
      for (const std::vector<std::string>& command :
           std::vector<std::vector<std::string>>{{"runs"},
                                                 {"check"},
                                                 {"deliver"},
                                                 {"export"},
                                                 {"import", exported},
                                                 {"dual", "status"},
                                                 {"config"},
                                                 {"migrate-store", "--from", "sqlite:/nowhere.db"}}) {
        const Outcome outcome = Run(command);
        EXPECT_EQ(outcome.code, 2) << command[0] << outcome.out;
        EXPECT_THAT(outcome.err, HasSubstr(state + " is not a folder of this user")) << command[0];
      }
      EXPECT_THAT(Run({"doctor"}).out, HasSubstr(state + " is not a folder of this user"));
      const Outcome run = Run({"run", "--", "true"});
      EXPECT_EQ(run.code, 0);
      EXPECT_THAT(run.err, HasSubstr(state + " is not a folder of this user"));
      EXPECT_TRUE(fs::is_empty(state)) << "nothing is written there";
      fs::remove(state);
    }
    EXPECT_EQ(Run({"schema", "migrate"}).code, 0);
    EXPECT_TRUE(fs::exists(state + "/history.db")) << "its own folder is used";
    EXPECT_EQ(fs::status(state).permissions(), fs::perms::owner_all);
    fs::remove(exported);
  });
  EXPECT_EQ(why, "");
}

// If journals cannot be opened now, the delivery has not succeeded.
TEST_F(UserBoundariesTest, FewDescriptorsAreReported) {
  Set("FLAKY_TESTS_SPOOL", Path("spool"));
  for (uint64_t number = 1; number <= 3; ++number) Record(number);
  int failures = 0;
  for (rlim_t limit = 3; limit <= 40; ++limit) {
    const pid_t child = ::fork();
    if (child == 0) {
      const rlimit few{limit, limit};
      const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
      ::dup2(null, STDOUT_FILENO);
      ::dup2(null, STDERR_FILENO);
      ::close_range(3, ~0U, 0);
      ::setrlimit(RLIMIT_NOFILE, &few);
      ::execl(FLAKY_PROGRAM, FLAKY_PROGRAM, "deliver", nullptr);
      ::_exit(127);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    const bool all_there = InSpool().empty();
    const bool succeeded = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    EXPECT_TRUE(!succeeded || all_there) << limit;
    failures += succeeded ? 0 : 1;
    if (succeeded) break;
  }
  EXPECT_GT(failures, 0) << "a limit of 3 is too low";
  EXPECT_THAT(InSpool(), IsEmpty());
  EXPECT_EQ(Runs("h.db"), 3);
}

}  // namespace
}  // namespace flaky
