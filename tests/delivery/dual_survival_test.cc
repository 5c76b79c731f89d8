// SPDX-License-Identifier: MIT

// Deliveries of a dual write that are killed: in the end both stores have everything, once.

#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <thread>

#include "tests/delivery/dual_fixture.h"
#include "tests/support/soak.h"

namespace flaky {
namespace {

class DualSurvivalTest : public DualTest {
 protected:
  // Starts `flaky deliver` in a separate process without output.
  static pid_t StartDelivery() {
    const pid_t child = ::fork();
    if (child != 0) return child;
    if (std::freopen("/dev/null", "w", stdout) != nullptr && std::freopen("/dev/null", "w", stderr) != nullptr) {
      ::execl(FLAKY_PROGRAM, "flaky", "deliver", nullptr);
    }
    ::_exit(99);
  }

  // Delivers what is left; then both stores have so many parts, each once, and nothing waits.
  void ExpectEachOnce(uint64_t made) const {
    const Outcome last = Run({"deliver"});
    EXPECT_EQ(last.code, 0) << last.err;
    EXPECT_EQ(Of("second.db"), Of("first.db"));
    EXPECT_THAT(ListWaiting(spool()), testing::IsEmpty());
    std::map<std::string, int> parts;
    const auto store = OpenStore(ParseLocation("sqlite:" + Path("second.db")), OpenMode::kRead);
    for (const RunRecord& record : ReadAll(*store)) {
      for (const Part& part : record.parts) ++parts[part.part_id];
    }
    EXPECT_EQ(parts.size(), made);
    for (const auto& [part, times] : parts) EXPECT_EQ(times, 1) << part;
  }
};

// Deliveries that are killed at any moment: in the end both stores have every run, once.
TEST_F(DualSurvivalTest, KilledAtAnyMomentNothingIsLostOrDouble) {
  const int64_t rounds = SoakCount(40, 1000);
  std::mt19937_64 random(SoakSeed());
  uint64_t made = 0;
  int64_t killed = 0;
  std::fflush(nullptr);
  std::chrono::microseconds whole{0};
  for (int64_t round = 0; round < rounds; ++round) {
    for (int i = 0; i < 20; ++i, ++made) Record(made + 1, "p", i % 4 == 0 ? "r" + std::to_string(random() % 8) : "");
    const auto begin = std::chrono::steady_clock::now();
    const pid_t child = StartDelivery();
    if (whole.count() == 0) {
      ::waitpid(child, nullptr, 0);
      whole = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
      continue;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % static_cast<uint64_t>(whole.count())));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    killed += WIFSIGNALED(status) ? 1 : 0;
    // The first one may have been slow: moments lie within what one takes now.
    if (!WIFSIGNALED(status)) whole = std::max(whole * 4 / 5, std::chrono::microseconds(1000));
  }
  EXPECT_GT(killed, rounds / 4);
  ExpectEachOnce(made);
}

// At each step that it takes in the spool, one after the other: random moments seldom meet the short ones.
TEST_F(DualSurvivalTest, KilledAtAnyStepNothingIsLostOrDouble) {
  fs::create_directories(spool() / "dual");
  const int watch = ::inotify_init1(IN_CLOEXEC);
  constexpr uint32_t kSteps = IN_CREATE | IN_MOVED_TO | IN_DELETE;
  ASSERT_GE(::inotify_add_watch(watch, spool().c_str(), kSteps), 0);
  ASSERT_GE(::inotify_add_watch(watch, (spool() / "dual").c_str(), kSteps), 0);
  uint64_t made = 0;
  int64_t killed = 0;
  std::fflush(nullptr);
  for (int64_t step = 1; step <= 16; ++step) {
    for (int i = 0; i < 6; ++i, ++made) Record(made + 1, "p", i < 3 ? "shared" : "");
    alignas(inotify_event) char buffer[4096];
    for (pollfd seen{watch, POLLIN, 0}; ::poll(&seen, 1, 0) > 0;) {
      ASSERT_GT(::read(watch, buffer, sizeof buffer), 0);  // of the recording
    }
    const pid_t child = StartDelivery();
    int64_t steps = 0;
    for (pollfd seen{watch, POLLIN, 0}; steps < step && ::waitpid(child, nullptr, WNOHANG) == 0;) {
      if (::poll(&seen, 1, 10) <= 0) continue;
      const ssize_t size = ::read(watch, buffer, sizeof buffer);
      for (ssize_t at = 0; at < size; ++steps) {
        at += static_cast<ssize_t>(sizeof(inotify_event) + reinterpret_cast<inotify_event*>(buffer + at)->len);
      }
    }
    if (steps < step) continue;
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    killed += WIFSIGNALED(status) ? 1 : 0;
  }
  ::close(watch);
  EXPECT_GE(killed, 8);
  ExpectEachOnce(made);
}

}  // namespace
}  // namespace flaky
