// SPDX-License-Identifier: MIT

// Deliveries that are not alone, that are killed, and that meet a store which is away.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "delivery/delivery_pause.h"
#include "spool/spool.h"
#include "tests/delivery/delivery_fixture.h"
#include "tests/support/wait_for.h"

namespace flaky {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

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

TEST_F(DeliveryTest, JournalsThatArriveDuringADeliveryAreDelivered) {
  constexpr uint64_t kJournals = 1500;
  std::atomic<bool> done = false;
  std::jthread writer([&] {
    for (uint64_t i = 1; i <= kJournals; ++i) {
      HeaderText header = DeadHeader(i);
      if (i % 4 == 0) header.SetText("run_id", "shared" + std::to_string(i % 3));
      PutJournal(spool(), i, header.Line() + "[\"S.T" + std::to_string(i) + "\",1,1000,\"passed\",1]\n" + kPassedEnd);
    }
    done = true;
  });
  do {
    const DeliverySummary summary = DeliverPending(resolved_, std::chrono::seconds(10));
    EXPECT_THAT(summary.messages, IsEmpty());
  } while (!done);
  writer.join();
  DeliverPending(resolved_, std::chrono::seconds(10));
  EXPECT_EQ(Waiting(), 0u);
  ExpectEachOnce(kJournals);
}

// Whatever moment a delivery dies at, the next ones complete it: nothing is lost, nothing is there twice.
TEST_F(DeliveryTest, NothingIsLostOrDoubledWhenDeliveriesAreKilled) {
  constexpr uint64_t kJournals = 400;
  uint64_t journals = 0;
  int killed = 0;
  // More than once only if this machine stalls so long that no delivery can be killed in time.
  while (killed == 0) {
    for (uint64_t end = journals + kJournals; journals < end;) {
      const uint64_t i = ++journals;
      HeaderText header = DeadHeader(i);
      if (i % 2 == 0) header.SetText("run_id", "shared" + std::to_string(i % 20));
      PutJournal(spool(), i, header.Line() + "[\"S.T" + std::to_string(i) + "\",1,1000,\"passed\",1]\n" + kPassedEnd);
    }
    // The first deliveries are killed after 1, 1, 1, 2, 3 … ms; the later ones reach the end.
    for (int round = 0; HasPending(spool()); ++round) {
      ASSERT_LT(round, 1000) << Output();
      const pid_t child = StartProgram({"--quiet"});
      std::this_thread::sleep_for(std::chrono::milliseconds(1 + round * round / 10));
      kill(child, SIGKILL);
      const int status = StatusOf(child);
      killed += status == -SIGKILL;
      EXPECT_TRUE(status == -SIGKILL || status == 0) << Output();
    }
  }
  EXPECT_EQ(Output(), "");
  EXPECT_FALSE(fs::exists(spool() / "rejected"));
  ExpectEachOnce(journals);
}

TEST_F(DeliveryTest, OneDeliveryTakesThousandsOfJournals) {
  constexpr uint64_t kJournals = 5000;
  for (uint64_t i = 1; i <= kJournals; ++i) PutJournal(spool(), i, JournalText(i));
  EXPECT_EQ(Deliver(resolved_, {}).runs, static_cast<int64_t>(kJournals));
  ExpectEachOnce(kJournals);
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

// Both addresses are shown as the same text, because only the user differs.
TEST_F(DeliveryTest, ThePauseOfOneUserOfAServerIsNotThatOfAnother) {
  const auto as = [](const std::string& user) {
    return std::map<std::string, std::string>{
        {"FLAKY_TESTS_STORE", "postgres"},
        {"FLAKY_TESTS_CONNECTION_STRING", "postgresql://" + user + ":Zx9kfaWq7mvb@127.0.0.1:1/x"}};
  };
  PutJournal(spool(), 1, JournalText(1));
  EXPECT_EQ(StatusOf(StartProgram({"--quiet"}, as("one"))), 10);
  EXPECT_EQ(StatusOf(StartProgram({"--quiet"}, as("one"))), 0) << "not asked again";
  EXPECT_EQ(StatusOf(StartProgram({"--quiet"}, as("two"))), 10) << "asked";
  EXPECT_THAT(ReadWholeFile(spool() / "unreachable"), Not(AnyOf(HasSubstr("Zx9kfa"), HasSubstr("two"))));
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
  WaitFor("the note that the store does not answer", [&] { return fs::exists(spool() / "unreachable"); });
  ::kill(first, SIGKILL);  // as its test program would
  ::waitpid(first, nullptr, 0);
  EXPECT_EQ(StatusOf(StartProgram({"--quiet"}, silent)), 0);
  EXPECT_EQ(Waiting(), 1u) << "not asked, and nothing lost";
  ::close(listener);
}
#endif

}  // namespace
}  // namespace flaky
