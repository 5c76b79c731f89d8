// A server that is unavailable for a moment while the program draws its progress on a terminal.

#include <gmock/gmock.h>

#include <chrono>

#include "tests/cli/program_fixture.h"
#include "tests/cli/terminal.h"
#include "tests/servers/fault_proxy.h"
#include "tests/servers/sqld_server.h"

namespace flaky {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class TerminalRetryTest : public ProgramTest {};

TEST_F(TerminalRetryTest, AMessageIsPrintedAboveTheBar) {
  std::vector<RunRecord> records;
  for (int i = 0; i < 60; ++i) records.push_back(BuildRecord("r" + std::to_string(i)).Project("demo").Build());
  Keep(records);
  const SqldServer server;
  FaultProxy proxy(FaultProxy::Protocol::kHttp, server.port());
  proxy.SetRetryAfter(std::chrono::seconds(1));
  Set("FLAKY_TESTS_STORE", "turso");
  Set("FLAKY_TESTS_CONNECTION_STRING", "http://127.0.0.1:" + std::to_string(proxy.port()));

  constexpr unsigned short kWidth = 300;  // of which a message takes one line
  Terminal terminal(FLAKY_PROGRAM,
                    {"migrate-store", "--from", "sqlite:" + Path("h.db"), "--batch-size", "5", "--max-rate", "20"},
                    kWidth);
  const auto sees_after = [](size_t begin, const std::string& text) {
    return [=](const std::string& sent) { return sent.find(text, begin) != std::string::npos; };
  };
  ASSERT_TRUE(terminal.ReadUntil(sees_after(0, "copying  [##"))) << terminal.sent();
  proxy.FaultAt(1, ProxyFault::kHttp429);
  ASSERT_TRUE(terminal.ReadUntil(sees_after(0, "trying again"))) << terminal.sent();
  const size_t message = terminal.sent().find("trying again");
  ASSERT_TRUE(terminal.ReadUntil(sees_after(message, "copying  ["))) << "the bar is redrawn during the wait";
  Screen screen(kWidth);
  screen.Take(terminal.sent());
  std::vector<std::string> lines = screen.Lines();
  EXPECT_THAT(lines.back(), StartsWith("copying  ["));
  ASSERT_GE(lines.size(), 2u);
  EXPECT_THAT(lines[lines.size() - 2],
              AllOf(StartsWith("flaky: "), testing::ContainsRegex("; trying again in [0-9.]+ s$")));

  EXPECT_EQ(terminal.End(), 0);
  Screen at_end(kWidth);
  at_end.Take(terminal.sent());
  lines = at_end.Lines();
  EXPECT_THAT(lines.back(), StartsWith("verified: source and target are equal"));
  for (const std::string& line : lines) EXPECT_THAT(line, Not(HasSubstr("copying"))) << line;
}

}  // namespace
}  // namespace flaky
