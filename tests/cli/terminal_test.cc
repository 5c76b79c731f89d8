// SPDX-License-Identifier: MIT

// The program on a terminal, as a user sees it.

#include "tests/cli/terminal.h"

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <utility>

#include "tests/cli/program_fixture.h"
#include "tests/support/contents.h"
#include "tests/support/generate_history.h"

namespace flaky {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class TerminalTest : public ProgramTest {
 protected:
  void WriteHistory(int64_t runs) const {
    HistoryShape shape;
    shape.runs = runs;
    OpenStore(ParseLocation(Old()), OpenMode::kWrite)->Write(GenerateHistory(shape));
  }
  std::string Old() const { return "sqlite:" + Path("old.db"); }
  std::string New() const { return "sqlite:" + Path("new.db"); }

  // Returns the arguments of a copy of `rate` rows per second; a run has about five rows.
  std::vector<std::string> SlowCopy(const std::string& rate) const {
    return {"migrate-store", "--from", Old(), "--to", New(), "--max-rate", rate, "--batch-size", "20"};
  }
  static auto Sees(const std::string& text) {
    return [text](const std::string& sent) { return sent.find(text) != std::string::npos; };
  }
  static std::vector<std::string> Shown(const Terminal& terminal, size_t width) {
    Screen screen(width);
    screen.Take(terminal.sent());
    return screen.Lines();
  }
};

TEST_F(TerminalTest, ACopyShowsABarAndThenOnlyItsSummary) {
  WriteHistory(500);
  Terminal terminal(FLAKY_PROGRAM, SlowCopy("800"), 100);
  ASSERT_TRUE(terminal.ReadUntil(Sees("copying  [####")));
  const std::vector<std::string> during = Shown(terminal, 100);
  EXPECT_THAT(during.back(), AllOf(StartsWith("copying  [#"), HasSubstr(" of 500 runs  ")));
  EXPECT_EQ(terminal.End(), 0);
  EXPECT_THAT(terminal.sent(), AllOf(HasSubstr(" runs/s  "), HasSubstr(" left")));
  const std::vector<std::string> after = Shown(terminal, 100);
  ASSERT_GE(after.size(), 11u);
  EXPECT_THAT(after.back(), StartsWith("verified: source and target are equal, digest "));
  for (const std::string& line : after)
    EXPECT_THAT(line, AllOf(Not(HasSubstr("copying")), Not(HasSubstr("[")))) << line;
}

TEST_F(TerminalTest, ANarrowerWindowGetsAShorterLine) {
  WriteHistory(500);
  Terminal terminal(FLAKY_PROGRAM, SlowCopy("200"), 100);
  ASSERT_TRUE(terminal.ReadUntil(Sees("copying  [#")));
  terminal.Resize(30);
  const size_t before = terminal.sent().size();
  ASSERT_TRUE(terminal.ReadUntil([&](const std::string& sent) { return sent.size() > before + 400; }));
  const size_t last = terminal.sent().rfind("copying");
  const std::string line = terminal.sent().substr(last, terminal.sent().find('\x1b', last) - last);
  EXPECT_LT(line.size(), 30u) << line;
}

TEST_F(TerminalTest, AVerifyShowsABar) {
  WriteHistory(20'000);
  std::filesystem::copy_file(Path("old.db"), Path("new.db"));
  Terminal terminal(FLAKY_PROGRAM, {"verify", "--source", Old(), "--target", New()}, 100);
  EXPECT_EQ(terminal.End(), 0);
  EXPECT_THAT(terminal.sent(), HasSubstr("comparing  ["));
  const std::vector<std::string> after = Shown(terminal, 100);
  EXPECT_EQ(after.back(), "equal: 20,000 runs");
  for (const std::string& line : after) EXPECT_THAT(line, Not(HasSubstr("comparing"))) << line;
}

TEST_F(TerminalTest, CtrlCLeavesAnAnswerAndASummary) {
  WriteHistory(500);
  Terminal terminal(FLAKY_PROGRAM, SlowCopy("200"), 100);
  ASSERT_TRUE(terminal.ReadUntil(Sees("copying  [")));
  terminal.Type("\x03");
  EXPECT_EQ(terminal.End(), 130);
  const std::vector<std::string> after = Shown(terminal, 100);
  EXPECT_THAT(after.back(), StartsWith("interrupted: the runs above are copied and verified"));
  for (const std::string& line : after) EXPECT_THAT(line, Not(HasSubstr("copying"))) << line;
}

TEST_F(TerminalTest, APipelineHasOneBar) {
  WriteHistory(12'000);
  Terminal terminal("/bin/sh",
                    {"-c", std::string(FLAKY_PROGRAM) + " export --from " + Old() +
                               " | " FLAKY_PROGRAM " import - --to " + New() + " --max-rate 40000"},
                    100);
  EXPECT_EQ(terminal.End(), 0);
  EXPECT_THAT(terminal.sent(), AllOf(HasSubstr("copying  "), Not(HasSubstr("writing"))));
}

// Only a whole line is an answer.
TEST_F(TerminalTest, NothingIsDroppedUnlessTheUserTypesYes) {
  WriteHistory(3);
  const auto legacy_runs = [&] { return ContentsAt(Old()).size(); };
  Set("FLAKY_TESTS_DB", Path("old.db"));
  Set("FLAKY_TESTS_TABLE_PREFIX", "team_");
  ASSERT_EQ(Run({"schema", "adopt", "--from-prefix", "flaky_test_"}).code, 0);
  const std::vector<std::string> drop = {"schema", "drop-old", "--from-prefix", "flaky_test_"};
  const auto answered = [&](const std::string& keys) {
    Terminal terminal(FLAKY_PROGRAM, drop, 200);
    EXPECT_TRUE(terminal.ReadUntil(Sees("Type yes to confirm")));
    terminal.Type(keys);
    const int code = terminal.End();
    return std::pair(code, terminal.sent());
  };
  for (const std::string keys : {"no\n", "\n", "y\n", "\x04"}) {
    const auto [code, sent] = answered(keys);
    EXPECT_EQ(code, 0);
    EXPECT_THAT(sent, HasSubstr("left alone "));
    EXPECT_EQ(legacy_runs(), 3u);
  }
  EXPECT_EQ(answered("\x03").first, -SIGINT);
  EXPECT_EQ(legacy_runs(), 3u);
  const auto [code, sent] = answered("yes\n");
  EXPECT_EQ(code, 0);
  EXPECT_THAT(sent, AllOf(HasSubstr("Remove the tables flaky_test_"), HasSubstr("; dropped flaky_test_")));
  EXPECT_THROW(legacy_runs(), StoreError);
}

TEST_F(TerminalTest, NoBarIfALineCannotBeRedrawnOrWithJson) {
  WriteHistory(200);
  for (const bool json : {false, true}) {
    std::filesystem::remove(Path("new.db"));
    std::vector<std::string> arguments = SlowCopy("800");
    if (json) arguments.emplace_back("--json");
    Terminal terminal(FLAKY_PROGRAM, arguments, 100, {json ? "TERM=xterm" : "TERM=dumb"});
    EXPECT_EQ(terminal.End(), 0);
    EXPECT_THAT(terminal.sent(), AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("[#"))));
    EXPECT_EQ(Sees("{\"event\":\"progress\",")(terminal.sent()), json);
  }
}

}  // namespace
}  // namespace flaky
