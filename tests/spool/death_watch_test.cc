// SPDX-License-Identifier: MIT
#include "spool/death_watch.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "spool/journal_parser.h"
#include "tests/support/journal_text.h"
#include "tests/support/temp_folder.h"

namespace flaky {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;

// The same limit for all processes. Counts the calls of Meet.
struct Limits : TimeLimits {
  int64_t Meet(const Journal& header) override {
    ++met;
    return header.writer.pid;
  }
  std::optional<microseconds> Of(const Journal&) override { return limit; }

  std::optional<microseconds> limit;
  int met = 0;
};

class DeathWatchTest : public testing::Test {
 protected:
  DeathWatchTest() : path_(folder_.File(TestId(1) + ".jsonl")) {}

  // Starts a process that begins a journal with these lines, mapped as by the recorder, and then waits to be killed.
  pid_t StartWriter(const std::string& lines) {
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      Map(Header() + lines);
      [[maybe_unused]] const ssize_t ignored = ::write(ready[1], "x", 1);
      for (;;) ::pause();
    }
    ::close(ready[1]);
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
    return child;
  }
  static void Kill(pid_t child) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }

  // Watches until a process has been met, however slow the machine is.
  void WatchUntilMet(DeathWatch& watch) const {
    for (int i = 0; i < 600 && limits_.met == 0; ++i) EXPECT_FALSE(watch.UntilReadable(-1, 100ms));
    EXPECT_GT(limits_.met, 0) << "no process was met while it was running";
  }

  Journal Read() const {
    std::ifstream file(path_, std::ios::binary);
    return ParseJournal(std::string(std::istreambuf_iterator<char>(file), {}));
  }

  DeathWatch Watch() {
    return DeathWatch(
        folder_.path(), [this](const Journal&) { return ours_; }, limits_);
  }

  TempFolder folder_;
  const std::string path_;
  bool ours_ = true;
  Limits limits_;

 private:
  static std::string Header() {
    const ProcessId self = ThisProcess();
    HeaderText header(1);
    header.Set("pid", std::to_string(self.pid)).Set("pid_seen", self.pid_start).SetText("boot_id", self.boot_id);
    header.SetText("host", self.host).Set("pid_ns", self.pid_ns);
    header.Set("started_us", std::to_string(Timestamp::Now().micros));
    return header.Line();
  }
  void Map(const std::string& text) const {
    std::ofstream(path_) << text << std::string(4096, '\0');
    std::FILE* const file = std::fopen(path_.c_str(), "r+");
    if (::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ::fileno(file), 0) == MAP_FAILED) ::_exit(9);
    std::fclose(file);
  }
};

constexpr char kOpenTest[] = "{\"file\":\"/src/a_test.cc\"}\n[\"S.Hangs\",41,1000";

TEST_F(DeathWatchTest, NotesWhenAProcessDied) {
  DeathWatch watch = Watch();
  const pid_t child = StartWriter(kOpenTest);
  WatchUntilMet(watch);
  EXPECT_FALSE(watch.UntilReadable(-1, 150ms));
  EXPECT_FALSE(Read().died) << "it is still running";
  Kill(child);
  EXPECT_FALSE(watch.UntilReadable(-1, 50ms));
  watch.Look();
  const Journal journal = Read();
  ASSERT_TRUE(journal.died);
  EXPECT_GE(*journal.died->at_us, 150'000);
  EXPECT_FALSE(journal.died->time_limit_us);
  ASSERT_EQ(journal.results.size(), 1u);
  EXPECT_EQ(journal.results[0].duration_us, *journal.died->at_us - 1000) << "how long the test had run";
  EXPECT_EQ(journal.last_us, *journal.died->at_us);
}

TEST_F(DeathWatchTest, AlsoWatchesAJournalThatWasThereBefore) {
  const pid_t child = StartWriter(kOpenTest);
  DeathWatch watch = Watch();
  watch.Look();
  Kill(child);
  watch.Look();
  EXPECT_TRUE(Read().died);
}

TEST_F(DeathWatchTest, NotesATimeLimitThatHasExpired) {
  limits_.limit = 200ms;
  DeathWatch watch = Watch();
  const pid_t child = StartWriter(kOpenTest);
  WatchUntilMet(watch);
  EXPECT_FALSE(watch.UntilReadable(-1, 250ms));
  Kill(child);
  watch.Look();
  ASSERT_TRUE(Read().died);
  EXPECT_EQ(Read().died->time_limit_us, 200'000);
}

TEST_F(DeathWatchTest, DoesNotNoteALimitThatHasNotExpired) {
  limits_.limit = 1h;
  DeathWatch watch = Watch();
  Kill(StartWriter(kOpenTest));
  watch.Look();
  ASSERT_TRUE(Read().died);
  EXPECT_FALSE(Read().died->time_limit_us);
}

TEST_F(DeathWatchTest, LeavesAloneWhatHasEndedOrIsNotOurs) {
  DeathWatch watch = Watch();
  Kill(StartWriter("{\"end_us\":5,\"passed\":true}\n"));
  watch.Look();
  EXPECT_FALSE(Read().died) << "it had ended";
  std::filesystem::remove(path_);
  ours_ = false;
  Kill(StartWriter(kOpenTest));
  watch.Look();
  EXPECT_FALSE(Read().died);
}

TEST_F(DeathWatchTest, ReturnsWhenTheDescriptorIsReadable) {
  DeathWatch watch = Watch();
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  EXPECT_TRUE(watch.UntilReadable(ends[0], 10min));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(DeathWatchTest, DoesNothingWithoutASpool) {
  DeathWatch watch(
      folder_.File("none"), [](const Journal&) { return true; }, limits_);
  watch.Look();
  EXPECT_FALSE(watch.UntilReadable(-1, 1ms));
}

}  // namespace
}  // namespace flaky
