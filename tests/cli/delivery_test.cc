#include "cli/delivery.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "cli/delivery_pause.h"
#include "history/roster.h"
#include "tests/support/journal_text.h"
#include "tests/support/temp_folder.h"
#include "transfer/spool.h"

namespace flaky {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A process of this boot that is gone.
HeaderText DeadHeader(uint64_t number) {
  std::string boot_id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot_id;
  struct stat ns {};
  stat("/proc/self/ns/pid", &ns);
  return HeaderText(number).SetText("boot_id", boot_id).Set("pid_ns", std::to_string(ns.st_ino)).Set("pid", "99999999");
}

std::string JournalText(uint64_t number) {
  return DeadHeader(number).Line() + "[\"S.T" + std::to_string(number) + "\",1,1000,\"passed\",1]\n" + kPassedEnd;
}

class DeliveryTest : public ::testing::Test {
 protected:
  DeliveryTest() : session_{.settings = {}, .out = out_, .err = messages_} {
    session_.settings.Set("FLAKY_TESTS_SPOOL", {spool().string(), Origin::kEnvironment, ""});
    session_.settings.Set("FLAKY_TESTS_DB", {file().string(), Origin::kEnvironment, ""});
  }

  fs::path spool() const { return folder_.path() / "spool"; }
  fs::path file() const { return folder_.path() / "history.db"; }

  std::vector<RunRecord> Stored() const {
    const auto store = OpenStore(HistoryLocation(session_.settings), OpenMode::kRead);
    PageRequest request;
    std::vector<RunRecord> records;
    do {
      Page page = store->Read(request);
      request.after = page.next;
      for (RunRecord& record : page.records) records.push_back(std::move(record));
    } while (request.after);
    return records;
  }

  // How often each test stands in the store's parts.
  std::map<std::string, int64_t> StoredTests() const {
    std::map<std::string, int64_t> tests;
    for (const RunRecord& record : Stored()) {
      for (const Part& part : record.parts) {
        for (const RosterPtr& roster : record.rosters) {
          if (roster->roster_id != part.roster_id) continue;
          for (const auto& [name, entry] : ParseRoster(roster->tests)) tests[name] += entry.executed;
        }
      }
    }
    return tests;
  }

  void ExpectEachOnce(uint64_t journals) const {
    const auto tests = StoredTests();
    EXPECT_THAT(tests, SizeIs(journals));
    for (const auto& [name, count] : tests) EXPECT_EQ(count, 1) << name;
  }

  size_t Waiting() const {
    size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(spool())) count += entry.path().extension() == ".jsonl";
    return count;
  }

  // Starts `flaky deliver` with this spool and store, or with the store that `variables` name, in the background.
  pid_t StartProgram(const std::vector<std::string>& more = {},
                     const std::map<std::string, std::string>& variables = {}) const {
    std::vector<std::string> arguments = {FLAKY_PROGRAM, "deliver"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const pid_t child = fork();
    if (child == 0) {
      for (const char* name : {"FLAKY_TESTS_STORE", "FLAKY_TESTS_CONNECTION_STRING", "FLAKY_TESTS_TABLE_PREFIX"})
        unsetenv(name);
      setenv("FLAKY_TESTS_SPOOL", spool().c_str(), 1);
      setenv("FLAKY_TESTS_DB", file().c_str(), 1);
      setenv("XDG_CONFIG_HOME", folder_.path().c_str(), 1);
      for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
      const int output = open(folder_.File("output").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      dup2(output, STDOUT_FILENO);
      dup2(output, STDERR_FILENO);
      execv(FLAKY_PROGRAM, argv.data());
      _exit(127);
    }
    return child;
  }
  static int StatusOf(pid_t child) {
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  std::string Output() const { return fs::exists(folder_.File("output")) ? ReadWholeFile(folder_.File("output")) : ""; }

  TempFolder folder_;
  std::ostringstream out_, err_;
  ErrorOutput messages_{err_};
  Session session_;
};

TEST_F(DeliveryTest, OpensNothingWhenNothingIsPending) {
  const DeliveryAccount account = DeliverPending(session_, std::chrono::seconds(1));
  EXPECT_EQ(account.runs, 0);
  EXPECT_FALSE(fs::exists(file()));
  EXPECT_FALSE(fs::exists(spool()));
  // A program that still runs is no reason to open a store either.
  std::string boot_id;
  PutJournal(spool(), 1, DeadHeader(1).SetText("boot_id", "elsewhere").SetText("host", "elsewhere").Line());
  EXPECT_EQ(DeliverPending(session_, std::chrono::seconds(1)).running, 1);
  EXPECT_FALSE(fs::exists(file()));
}

TEST_F(DeliveryTest, MovesWhatIsPendingIntoTheStore) {
  for (uint64_t i = 1; i <= 3; ++i) PutJournal(spool(), i, JournalText(i));
  for (uint64_t i = 4; i <= 6; ++i)
    PutJournal(spool(), i, DeadHeader(i).SetText("run_id", "shared").Line() + kPassedEnd);
  const DeliveryAccount account = DeliverPending(session_, std::chrono::seconds(1));
  EXPECT_EQ(account.runs, 4);
  EXPECT_EQ(account.parts, 6);
  EXPECT_EQ(account.rejected, 0);
  EXPECT_EQ(account.kept, 0);
  EXPECT_FALSE(account.locked);
  EXPECT_THAT(account.messages, IsEmpty());
  EXPECT_EQ(Waiting(), 0u);
  const auto stored = Stored();
  ASSERT_THAT(stored, SizeIs(4));
  EXPECT_EQ(stored[0].run.project, "build") << "the name of the working folder";
}

TEST_F(DeliveryTest, KeepsEverythingWhenTheStoreCannotBeUsed) {
  PutJournal(spool(), 1, JournalText(1));
  session_.settings = {};
  session_.settings.Set("FLAKY_TESTS_SPOOL", {spool().string(), Origin::kEnvironment, ""});
  session_.settings.Set("FLAKY_TESTS_DB", {folder_.path().string(), Origin::kEnvironment, ""});
  EXPECT_THROW(DeliverPending(session_, std::chrono::seconds(1)), StoreError);
  EXPECT_EQ(Waiting(), 1u);
  // And the lock is free again.
  EXPECT_TRUE(SpoolLock::Take(spool(), std::chrono::milliseconds(0)));
}

TEST_F(DeliveryTest, SaysThatAnotherProcessDelivers) {
  PutJournal(spool(), 1, JournalText(1));
  const auto lock = SpoolLock::Take(spool(), std::chrono::milliseconds(0));
  const DeliveryAccount account = DeliverPending(session_, std::chrono::milliseconds(20));
  EXPECT_TRUE(account.locked);
  EXPECT_EQ(account.runs, 0);
  EXPECT_EQ(Waiting(), 1u);
}

TEST_F(DeliveryTest, ReturnsOnceTheOtherProcessHasDeliveredAll) {
  PutJournal(spool(), 1, JournalText(1));
  auto lock = SpoolLock::Take(spool(), std::chrono::milliseconds(0));
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    fs::remove(spool() / (TestId(1) + ".jsonl"));
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(DeliverPending(session_, std::chrono::seconds(60)).locked);
  other.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

TEST_F(DeliveryTest, MovesAsideWhatContradictsTheStore) {
  PutJournal(spool(), 1, JournalText(1));
  DeliverPending(session_, std::chrono::seconds(1));
  PutJournal(spool(), 1, DeadHeader(1).Line() + "[\"S.Other\",1,1000,\"failed\",1]\n" + kFailedEnd);
  const DeliveryAccount account = DeliverPending(session_, std::chrono::seconds(1));
  EXPECT_EQ(account.runs, 0);
  EXPECT_EQ(account.rejected, 1);
  ASSERT_THAT(account.messages, SizeIs(1));
  EXPECT_THAT(account.messages[0], HasSubstr("rejected/" + TestId(1)));
  EXPECT_TRUE(fs::exists(spool() / "rejected" / (TestId(1) + ".jsonl")));
  EXPECT_EQ(StoredTests(), (std::map<std::string, int64_t>{{"S.T1", 1}}));
}

// A delivery that was killed between writing and removing, after which a file was edited, is not a contradiction.
TEST_F(DeliveryTest, TakesARunForDeliveredWhenOnlyItsSurroundingsChanged) {
  const auto put = [&](const std::string& project) {
    PutJournal(spool(), 1,
               DeadHeader(1).SetText("project", project).Line() +
                   "[\"S.T1\",1,1000,{\"at_us\":5,\"message\":\"m\"},\"failed\",1]\n" + kFailedEnd);
  };
  put("b");
  DeliverPending(session_, std::chrono::seconds(1));
  put("a");
  const DeliveryAccount account = DeliverPending(session_, std::chrono::seconds(1));
  EXPECT_EQ(account.rejected, 0);
  EXPECT_EQ(account.runs, 1);
  EXPECT_EQ(Waiting(), 0u);
  const auto stored = Stored();
  ASSERT_THAT(stored, SizeIs(1));
  EXPECT_THAT(stored[0].failures, SizeIs(1));
}

TEST_F(DeliveryTest, EndsInTimeAndSaysWhatIsLeft) {
  for (uint64_t i = 1; i <= 2000; ++i) PutJournal(spool(), i, JournalText(i));
  DeliveryOptions options;
  options.until = std::chrono::steady_clock::now();
  const DeliveryAccount account = Deliver(session_, options);
  // The batches in flight are completed, and there are four at most.
  EXPECT_GE(account.runs, 256);
  EXPECT_LE(account.runs, 4 * 256);
  EXPECT_EQ(account.runs + account.kept, 2000);
  ASSERT_THAT(account.messages, SizeIs(1));
  EXPECT_THAT(account.messages[0], HasSubstr(std::to_string(account.kept) + " more runs"));
  EXPECT_EQ(Waiting(), static_cast<size_t>(account.kept));
  EXPECT_EQ(Deliver(session_, {}).runs, account.kept);
  ExpectEachOnce(2000);
}

TEST_F(DeliveryTest, ADryRunOnlyCounts) {
  for (uint64_t i = 1; i <= 3; ++i) PutJournal(spool(), i, JournalText(i));
  DeliveryOptions options;
  options.dry_run = true;
  EXPECT_EQ(Deliver(session_, options).runs, 3);
  EXPECT_EQ(Waiting(), 3u);
  EXPECT_FALSE(fs::exists(file()));
}

TEST_F(DeliveryTest, TheProgramSaysOneSentence) {
  for (uint64_t i = 1; i <= 2; ++i) PutJournal(spool(), i, JournalText(i));
  EXPECT_EQ(StatusOf(StartProgram({"--dry-run"})), 0);
  EXPECT_EQ(StatusOf(StartProgram()), 0);
  EXPECT_EQ(StatusOf(StartProgram()), 0);
  const std::string shown = "sqlite:" + file().string();
  EXPECT_THAT(Output(), HasSubstr("would deliver 2 runs (2 parts) to " + shown));
  EXPECT_THAT(Output(), HasSubstr("\ndelivered 2 runs (2 parts) to " + shown));
  EXPECT_THAT(Output(), ::testing::EndsWith("\nnothing to deliver\n"));
  fs::remove(folder_.File("output"));
  PutJournal(spool(), 3, JournalText(3));
  EXPECT_EQ(StatusOf(StartProgram({"--json"})), 0);
  EXPECT_THAT(Output(), HasSubstr("\"runs\": 1,"));
}

TEST_F(DeliveryTest, QuietlyMeansNoLineOrOne) {
  PutJournal(spool(), 1, JournalText(1));
  EXPECT_EQ(StatusOf(StartProgram({"--quiet"})), 0);
  EXPECT_EQ(Output(), "");
  PutJournal(spool(), 2, "damaged\n");
  PutJournal(spool(), 3, "damaged\n");
  EXPECT_EQ(StatusOf(StartProgram({"--quiet"})), 3);
  const std::string output = Output();
  EXPECT_THAT(output, HasSubstr("line 1 is no JSON"));
  EXPECT_EQ(std::count(output.begin(), output.end(), '\n'), 1) << output;
  // Somebody else delivers: no news for a test program, but for a user.
  fs::remove(folder_.File("output"));
  PutJournal(spool(), 4, JournalText(4));
  const auto lock = SpoolLock::Take(spool(), std::chrono::milliseconds(0));
  EXPECT_EQ(StatusOf(StartProgram({"--quiet"})), 0);
  EXPECT_EQ(Output(), "");
  setenv("FLAKY_TESTS_DELIVERY_TIMEOUT", "0", 1);
  EXPECT_EQ(StatusOf(StartProgram()), 11);
  unsetenv("FLAKY_TESTS_DELIVERY_TIMEOUT");
  EXPECT_THAT(Output(), HasSubstr("another process is delivering"));
}

TEST_F(DeliveryTest, WorksWithoutStandardDescriptorsAndClosesInheritedOnes) {
  PutJournal(spool(), 1, JournalText(1));
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    setenv("FLAKY_TESTS_SPOOL", spool().c_str(), 1);
    setenv("FLAKY_TESTS_DB", file().c_str(), 1);
    for (int fd = 0; fd <= 2; ++fd) close(fd);
    execl(FLAKY_PROGRAM, FLAKY_PROGRAM, "deliver", "--quiet", nullptr);
    _exit(127);
  }
  close(ends[1]);
  EXPECT_EQ(StatusOf(child), 0);
  close(ends[0]);
  ExpectEachOnce(1);
}

TEST_F(DeliveryTest, MakesTheDefaultStoresFolderForItsUserAlone) {
  PutJournal(spool(), 1, JournalText(1));
  const fs::path state = folder_.path() / "state";
  const pid_t child = fork();
  if (child == 0) {
    umask(0);
    setenv("XDG_STATE_HOME", state.c_str(), 1);
    setenv("FLAKY_TESTS_SPOOL", spool().c_str(), 1);
    unsetenv("FLAKY_TESTS_DB");
    execl(FLAKY_PROGRAM, FLAKY_PROGRAM, "deliver", "--quiet", nullptr);
    _exit(127);
  }
  EXPECT_EQ(StatusOf(child), 0);
  EXPECT_EQ(fs::status(state / "flaky").permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(state / "flaky" / "history.db").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(DeliveryTest, ManyProcessesDeliverAtOnce) {
  constexpr uint64_t kProcesses = 64;
  for (uint64_t i = 1; i <= 10 * kProcesses; ++i) PutJournal(spool(), i, JournalText(i));
  std::vector<pid_t> children;
  for (uint64_t i = 0; i < kProcesses; ++i) children.push_back(StartProgram({"--quiet"}));
  for (const pid_t child : children) EXPECT_EQ(StatusOf(child), 0) << Output();
  EXPECT_EQ(Output(), "");
  EXPECT_EQ(StatusOf(StartProgram({"--quiet"})), 0);
  EXPECT_EQ(Waiting(), 0u);
  ExpectEachOnce(10 * kProcesses);
}

TEST_F(DeliveryTest, JournalsThatArriveMeanwhileAreTakenAlong) {
  constexpr uint64_t kJournals = 1500;
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (uint64_t i = 1; i <= kJournals; ++i) {
      HeaderText header = DeadHeader(i);
      if (i % 4 == 0) header.SetText("run_id", "shared" + std::to_string(i % 3));
      PutJournal(spool(), i, header.Line() + "[\"S.T" + std::to_string(i) + "\",1,1000,\"passed\",1]\n" + kPassedEnd);
    }
    done = true;
  });
  int64_t rounds = 0;
  while (!done) {
    const DeliveryAccount account = DeliverPending(session_, std::chrono::seconds(10));
    EXPECT_THAT(account.messages, IsEmpty());
    ++rounds;
  }
  writer.join();
  DeliverPending(session_, std::chrono::seconds(10));
  EXPECT_EQ(Waiting(), 0u);
  ExpectEachOnce(kJournals);
  EXPECT_GE(rounds, 1);
}

// Whatever moment a delivery dies at, the next ones complete it: nothing is lost, nothing is there twice.
TEST_F(DeliveryTest, NothingIsLostOrDoubledWhenDeliveriesAreKilled) {
  constexpr uint64_t kJournals = 400;
  for (uint64_t i = 1; i <= kJournals; ++i) {
    HeaderText header = DeadHeader(i);
    if (i % 2 == 0) header.SetText("run_id", "shared" + std::to_string(i % 20));
    PutJournal(spool(), i, header.Line() + "[\"S.T" + std::to_string(i) + "\",1,1000,\"passed\",1]\n" + kPassedEnd);
  }
  int killed = 0;
  // The first deliveries die after 1, 2, 3 … ms; by and by they get to the end.
  for (int round = 0; HasPending(spool()); ++round) {
    ASSERT_LT(round, 500) << Output();
    const pid_t child = StartProgram({"--quiet"});
    std::this_thread::sleep_for(std::chrono::milliseconds(1 + round));
    kill(child, SIGKILL);
    const int status = StatusOf(child);
    killed += status == -SIGKILL;
    EXPECT_TRUE(status == -SIGKILL || status == 0) << Output();
  }
  EXPECT_GT(killed, 0);
  EXPECT_EQ(Output(), "");
  EXPECT_FALSE(fs::exists(spool() / "rejected"));
  ExpectEachOnce(kJournals);
}

TEST_F(DeliveryTest, ThousandsOfJournalsTakeLittleTime) {
  constexpr uint64_t kJournals = 5000;
  for (uint64_t i = 1; i <= kJournals; ++i) PutJournal(spool(), i, JournalText(i));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Deliver(session_, {}).runs, static_cast<int64_t>(kJournals));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  RecordProperty("seconds", std::to_string(seconds));
  EXPECT_LT(seconds, 60) << "below a second where nothing else runs";
}

#ifdef FLAKY_STORE_POSTGRES
// Below no ctest, each of many test programs would find out by itself that the server is away.
TEST_F(DeliveryTest, AStoreThatDoesNotAnswerIsNotAskedByEveryTestProgram) {
  const std::map<std::string, std::string> nobody = {{"FLAKY_TESTS_STORE", "postgres"},
                                                     {"FLAKY_TESTS_CONNECTION_STRING", "postgresql://127.0.0.1:1/x"}};
  PutJournal(spool(), 1, JournalText(1));
  EXPECT_EQ(StatusOf(StartProgram({"--quiet"}, nobody)), 10);
  const std::string told = Output();
  EXPECT_THAT(told, HasSubstr("postgresql://127.0.0.1:1/x"));
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 1);

  EXPECT_EQ(StatusOf(StartProgram({"--quiet"}, nobody)), 0);
  EXPECT_EQ(Output(), told) << "said once";
  EXPECT_EQ(Waiting(), 1u);

  fs::last_write_time(spool() / "unreachable", fs::file_time_type::clock::now() - 2 * kDeliveryPause);
  EXPECT_EQ(StatusOf(StartProgram({"--quiet"}, nobody)), 10) << "it is asked again";

  EXPECT_EQ(StatusOf(StartProgram({"--quiet"})), 0) << "another store";
  EXPECT_EQ(Waiting(), 0u);
  ExpectEachOnce(1);
  EXPECT_FALSE(fs::exists(spool() / "unreachable"));
}

// One that takes the connection and says nothing keeps the program until its test program ends it: the next is spared.
TEST_F(DeliveryTest, AStoreThatIsSilentIsNotWaitedForByEveryTestProgram) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 8), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string location = "postgresql://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/x";
  const std::map<std::string, std::string> silent = {{"FLAKY_TESTS_STORE", "postgres"},
                                                     {"FLAKY_TESTS_CONNECTION_STRING", location},
                                                     {"FLAKY_TESTS_DELIVERY_TIMEOUT", "2"}};
  PutJournal(spool(), 1, JournalText(1));
  const pid_t first = StartProgram({"--quiet"}, silent);
  while (!fs::exists(spool() / "unreachable")) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ::kill(first, SIGKILL);  // as its test program would
  ::waitpid(first, nullptr, 0);
  EXPECT_EQ(StatusOf(StartProgram({"--quiet"}, silent)), 0);
  EXPECT_EQ(Waiting(), 1u) << "not asked, and nothing lost";
  ::close(listener);
}
#endif

}  // namespace
}  // namespace flaky
