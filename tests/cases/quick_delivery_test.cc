// SPDX-License-Identifier: MIT

// The delivery at the end of a test program: whatever the store does, the program ends as it does without the recorder.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "tests/recorder/fixture_run.h"
#include "tests/support/wait_for.h"

namespace flaky {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

// Accepts connections, through the kernel's backlog, and never answers.
class SilentServer {
 public:
  SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket_, 64), 0);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  ~SilentServer() { ::close(socket_); }
  std::string port() const { return std::to_string(port_); }

 private:
  int socket_;
  int port_ = 0;
};

class QuickDelivery : public FixtureTest {
 protected:
  QuickDelivery() {
    env["FLAKY_TESTS_DELIVERY_TIMEOUT"] = "120";
    env["FLAKY_TESTS_PROGRAM"] = FLAKY_PROGRAM;
    env["FLAKY_TESTS_DB"] = (folder() / "h.db").string();
  }

  Outcome RunCase(const std::string& name) {
    env["CASE"] = name;
    const auto begin = std::chrono::steady_clock::now();
    const Outcome outcome = Run(QUICK_DELIVERY);
    took_ = std::chrono::steady_clock::now() - begin;
    return outcome;
  }

  // The store takes connections and is silent, whatever kind of store this build has.
  void BeSilent() {
    env["FLAKY_TESTS_STORE"] = "turso";
    env["FLAKY_TESTS_CONNECTION_STRING"] = "http://127.0.0.1:" + server_.port();
    env["FLAKY_TESTS_DELIVERY_TIMEOUT"] = "3";
  }

  void AwaitDelivery() {
    WaitFor("the delivery", [&] { return Journals().empty(); });
  }

  std::chrono::duration<double> took_{};

 private:
  SilentServer server_;
};

TEST_F(QuickDelivery, TheProgramMeetsNoChild) {
  for (const char* name : {"ends", "lives on", "subreaper"}) {
    const Outcome outcome = RunCase(name);
    EXPECT_EQ(ExitStatus(outcome), 0) << name << ": " << outcome.out;
    EXPECT_EQ(outcome.err, "") << name;
    AwaitDelivery();
  }
}

TEST_F(QuickDelivery, TheProgramMeetsNoChildEvenIfItTakesLong) {
  env["FLAKY_TESTS_PROGRAM"] = std::string(FLAKY_FIXTURES) + "/stand_in_flaky";
  env["STAND_IN"] = "hang";
  env["FLAKY_TESTS_DELIVERY_TIMEOUT"] = "1";
  for (const char* name : {"ends", "lives on", "subreaper"}) {
    const Outcome outcome = RunCase(name);
    EXPECT_EQ(ExitStatus(outcome), 0) << name << ": " << outcome.out;
    EXPECT_EQ(outcome.err, "") << name;
  }
}

TEST_F(QuickDelivery, ASilentStoreNeitherDelaysNorEndsTheProgram) {
  BeSilent();
  for (const char* name : {"alarm", "watchdog"}) {
    const Outcome outcome = RunCase(name);
    EXPECT_EQ(ExitStatus(outcome), 0) << name << ": " << outcome.status;
    EXPECT_LT(took_, 2s) << name << ": 3 s if it waited for the delivery";
    EXPECT_EQ(outcome.err, "") << name;
  }
  EXPECT_EQ(Journals().size(), 2u) << "nothing is lost";
  // The reason reaches the user, although the program did not wait for it.
  WaitFor("the reason", [&] { return std::filesystem::exists(spool() / "trouble"); });
  std::ifstream note(spool() / "trouble");
  std::string reason;
  std::getline(note, reason);
  EXPECT_THAT(reason, testing::AnyOf(HasSubstr("did not end within 3 s"), HasSubstr("turso")));
}

TEST_F(QuickDelivery, GivesALateThreadNoMoreTime) {
  env["FLAKY_TESTS_PROGRAM"] = std::string(FLAKY_FIXTURES) + "/stand_in_flaky";
  env["STAND_IN"] = "hang";
  env["FLAKY_TESTS_DELIVERY_TIMEOUT"] = "1";
  int silent = 0;
  for (int run = 0; run < 20 && silent == 0; ++run) {
    if (RunCase("late thread").out.find("late") == std::string::npos) ++silent;
  }
  EXPECT_EQ(silent, 1) << "all 20 programs waited 60 ms, while the machine may have been busy in some of them";
}

TEST_F(QuickDelivery, AWaitThatTheUserAsksForIsWaited) {
  env["FLAKY_TESTS_DELIVERY_WAIT"] = "120000";
  EXPECT_EQ(ExitStatus(RunCase("late thread")), 0);
  EXPECT_TRUE(Journals().empty()) << "delivered when the program had ended";
}

TEST_F(QuickDelivery, UnderCtestNoProgramHasHadAChild) {
  std::ofstream(folder() / "CTestTestfile.cmake") << "add_test(case " << QUICK_DELIVERY << ")\n";
  const Outcome outcome = Run(CTEST, {"--output-on-failure"});
  EXPECT_EQ(ExitStatus(outcome), 0) << outcome.out;
  AwaitDelivery();
}

}  // namespace
}  // namespace flaky
