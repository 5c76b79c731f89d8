// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>

#include "history/text.h"
#include "spool/journal_parser.h"
#include "tests/support/cpu_time.h"
#include "tests/support/journal_text.h"

namespace flaky {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A journal with all kinds of lines.
std::string WholeJournal() {
  return HeaderText(7)
             .SetText("run_id", "nightly 5")
             .SetText("project", "")
             .Set("shard", "[2,10]")
             .SetText("variant", "asan")
             .SetText("boot_id", "b-1")
             .Set("pid_ns", "4026531836")
             .Set("parent_pid", "12")
             .Set("parent_start", "34")
             .SetText("parent_name", "ctest")
             .Set("shuffle_seed", "5")
             .Set("of_a_later_version", "{\"a\":[1]}")
             .Line() +
         R"({"file":"/src/a_test.cc"})"
         "\n"
         R"(["Suite.Passes",41,1200,"passed",350])"
         "\n"
         R"(["Suite.Fails",50,1600,{"at_us":1610,"file":"/src/a_test.cc","line":52,"message":"a\nb"},{"at_us":1620,"message":"boom"},"failed",30])"
         "\n"
         R"({"suite":"Suite","failure":{"at_us":1700,"message":"tear-down"}})"
         "\n"
         R"({"unknown":[1,2]})"
         "\n"
         R"({"iteration":1,"shuffle_seed":6})"
         "\n"
         R"({"file":"/src/b_test.cc"})"
         "\n"
         R"(["Other.Skips",9,1800,{"at_us":1801,"file":"b","line":10,"skip_message":"not here"},"skipped",2])"
         "\n"
         R"(["Other.Exits",19,1900,"exited",7,3])"
         "\n"
         R"({"failure":{"at_us":2000,"file":"env.cc","line":3,"message":"environment"}})"
         "\n" +
         kFailedEnd;
}

JournalError::Kind KindOf(std::string_view bytes, std::string* what = nullptr) {
  try {
    ParseJournal(bytes);
  } catch (const JournalError& error) {
    if (what != nullptr) *what = error.what();
    return error.kind();
  }
  ADD_FAILURE() << "was accepted: " << bytes;
  return JournalError::Kind::kEmpty;
}

TEST(ParseJournal, ReadsEveryKindOfLine) {
  const Journal journal = ParseJournal(WholeJournal());
  EXPECT_EQ(journal.journal_id, TestId(7));
  EXPECT_EQ(journal.run_id, "nightly 5");
  EXPECT_EQ(journal.project, "");
  EXPECT_EQ(journal.shard, "2/10");
  EXPECT_EQ(journal.variant, "asan");
  EXPECT_EQ(journal.writer.pid, 4194303);
  EXPECT_EQ(journal.writer.pid_start, "1");
  EXPECT_EQ(journal.parent.pid, 12);
  EXPECT_EQ(journal.parent.pid_start, "34");
  EXPECT_EQ(journal.parent.boot_id, "b-1");
  EXPECT_EQ(journal.parent.pid_ns, "4026531836");
  EXPECT_EQ(journal.parent_name, "ctest");
  EXPECT_EQ(journal.started_at.micros, 1700000000000000);
  EXPECT_THAT(journal.args, ElementsAre("/nowhere/build/my_tests"));
  EXPECT_EQ(journal.end_us, 90210);
  EXPECT_EQ(journal.said_passed, false);
  EXPECT_EQ(journal.last_us, 90210);

  ASSERT_EQ(journal.results.size(), 4u);
  const JournalResult& passes = journal.results[0];
  EXPECT_EQ(passes.name, "Suite.Passes");
  EXPECT_EQ(passes.file, "/src/a_test.cc");
  EXPECT_EQ(passes.line, 41);
  EXPECT_EQ(passes.start_us, 1200);
  EXPECT_EQ(passes.duration_us, 350);
  EXPECT_EQ(passes.outcome, JournalOutcome::kPassed);
  EXPECT_EQ(passes.shuffle_seed, 5);
  const JournalResult& fails = journal.results[1];
  ASSERT_EQ(fails.failures.size(), 2u);
  EXPECT_EQ(fails.failures[0].message, "a\nb");
  EXPECT_EQ(fails.failures[0].line, 52);
  EXPECT_EQ(fails.failures[1].file, "");
  EXPECT_EQ(fails.outcome, JournalOutcome::kFailed);
  const JournalResult& skips = journal.results[2];
  EXPECT_EQ(skips.file, "/src/b_test.cc");
  EXPECT_EQ(skips.iteration, 1);
  EXPECT_EQ(skips.shuffle_seed, 6);
  ASSERT_EQ(skips.failures.size(), 1u);
  EXPECT_TRUE(skips.failures[0].is_skip);
  EXPECT_EQ(journal.results[3].outcome, JournalOutcome::kExited);
  EXPECT_EQ(journal.results[3].exit_status, 3);

  ASSERT_EQ(journal.suite_failures.size(), 2u);
  EXPECT_EQ(journal.suite_failures[0].suite, "Suite");
  EXPECT_EQ(journal.suite_failures[0].preceding_test, "Suite.Fails");
  EXPECT_EQ(journal.suite_failures[1].suite, "");
  EXPECT_EQ(journal.suite_failures[1].failure.message, "environment");
}

TEST(ParseJournal, StopsAtTheFirstNul) {
  const std::string bytes = WholeJournal() + std::string(1000, '\0') + "garbage";
  EXPECT_EQ(ParseJournal(bytes).results.size(), 4u);
}

TEST(ParseJournal, AnIncompleteLastLineIsTheTestThatDied) {
  const std::string header = HeaderText(1).Line();
  const Journal started = ParseJournal(header + R"(["S.T",41,1200)" + std::string(64, '\0'));
  ASSERT_EQ(started.results.size(), 1u);
  EXPECT_EQ(started.results[0].name, "S.T");
  EXPECT_EQ(started.results[0].start_us, 1200);
  EXPECT_EQ(started.results[0].outcome, JournalOutcome::kUnfinished);
  EXPECT_FALSE(started.end_us);

  const Journal failed = ParseJournal(header + R"(["S.T",41,1200,{"at_us":1500,"message":"m"})");
  ASSERT_EQ(failed.results.size(), 1u);
  ASSERT_EQ(failed.results[0].failures.size(), 1u);
  EXPECT_EQ(failed.results[0].duration_us, 300);
  EXPECT_EQ(failed.results[0].outcome, JournalOutcome::kUnfinished);
}

TEST(ParseJournal, MergesSeveralObservationsOfADeath) {
  const Journal journal = ParseJournal(HeaderText(1).Line() + R"(["S.Dies",41,1200)" + "\n" +
                                       R"({"died":{"at_us":5200,"time_limit_us":1000000,"out_of_memory":true}})" +
                                       "\n" + R"({"died":{"signal":"SIGKILL","at_us":9000}})" + "\n");
  ASSERT_TRUE(journal.died);
  EXPECT_EQ(journal.died->signal, "SIGKILL");
  EXPECT_FALSE(journal.died->exit_code);
  EXPECT_EQ(journal.died->at_us, 5200) << "the first observation counts";
  EXPECT_EQ(journal.died->time_limit_us, 1'000'000);
  EXPECT_TRUE(journal.died->out_of_memory);
  ASSERT_EQ(journal.results.size(), 1u);
  EXPECT_EQ(journal.results[0].duration_us, 4000);
  EXPECT_EQ(journal.last_us, 5200);
}

TEST(ParseJournal, ReadsACutLineUpToItsLastCompleteElement) {
  const std::string header = HeaderText(1).Line();
  const auto cut = [&](const std::string& rest) {
    const Journal journal = ParseJournal(header + rest);
    return journal.results.empty() ? JournalResult() : journal.results[0];
  };
  EXPECT_EQ(cut(R"(["S.T",41,1200,{"at_us":1500,"mess)").name, "S.T");
  EXPECT_TRUE(cut(R"(["S.T",41,1200,{"at_us":1500,"mess)").failures.empty());
  EXPECT_EQ(cut(R"(["S.T",41,1200,{"at_us":1500,"message":"],\",["},{"at_us":16)").failures.size(), 1u);
  EXPECT_EQ(cut(R"(["S.T",41,1200,"pas)").outcome, JournalOutcome::kUnfinished);
  EXPECT_EQ(cut(R"(["S.T",)").name, "S.T");
  EXPECT_EQ(cut(R"(["S.T)").name, "");
  EXPECT_EQ(cut("[").name, "");
}

TEST(ParseJournal, AnEndLineThatWasCutIsNotAnEnd) {
  const std::string bytes = HeaderText(1).Line() + R"(["S.T",41,1200,"passed",3])"
                                                   "\n"
                                                   R"({"end_us":902)";
  const Journal journal = ParseJournal(bytes);
  EXPECT_FALSE(journal.end_us);
  EXPECT_EQ(journal.results.size(), 1u);
}

TEST(ParseJournal, NamesTheDamagedLine) {
  const std::string header = HeaderText(1).Line();
  for (const std::string line :
       {"nonsense", "17", "[]", "[3]", R"(["S.T"])", R"(["S.T",1,2,"won",3])", R"(["S.T",1,2,"passed"])",
        R"(["S.T","x",2])", R"(["",1,2,"passed",3])", R"({"failure":7})", R"({"file":1})"}) {
    std::string what;
    EXPECT_EQ(KindOf(header +
                         R"(["S.A",1,1,"passed",1])"
                         "\n" +
                         line + "\n" + kPassedEnd,
                     &what),
              JournalError::Kind::kDamaged);
    EXPECT_THAT(what, HasSubstr("line 3 ")) << line;
  }
}

TEST(ParseJournal, RefusesWhatIsNotAHeader) {
  EXPECT_EQ(KindOf(""), JournalError::Kind::kEmpty);
  EXPECT_EQ(KindOf(std::string(100, '\0')), JournalError::Kind::kEmpty);
  EXPECT_EQ(KindOf(R"({"flaky_journal":1,"jour)"), JournalError::Kind::kEmpty);
  EXPECT_EQ(KindOf("[]\n"), JournalError::Kind::kDamaged);
  EXPECT_EQ(KindOf("{}\n"), JournalError::Kind::kDamaged);
  EXPECT_EQ(KindOf("x\n"), JournalError::Kind::kDamaged);
  EXPECT_EQ(KindOf(HeaderText(1).Set("flaky_journal", "2").Line()), JournalError::Kind::kNewer);
  EXPECT_EQ(KindOf(HeaderText(1).SetText("journal_id", "../../../etc/passwd").Line()), JournalError::Kind::kDamaged);
  EXPECT_EQ(KindOf(HeaderText(1).Remove("process_run_id").Line()), JournalError::Kind::kDamaged);
  EXPECT_EQ(KindOf(HeaderText(1).Remove("started_us").Line()), JournalError::Kind::kDamaged);
}

TEST(ParseJournal, MakesTextsStorable) {
  const Journal journal =
      ParseJournal(HeaderText(1).Set("cwd", R"("a\u0000b")").Line() +
                   "[\"S.\xff\",1,2,{\"at_us\":3,\"message\":\"\xfe\x80\"},\"failed\",3]\n" + kFailedEnd);
  EXPECT_EQ(journal.cwd,
            "a\xEF\xBF\xBD"
            "b");
  ASSERT_EQ(journal.results.size(), 1u);
  EXPECT_EQ(journal.results[0].name, "S.\xEF\xBF\xBD");
  EXPECT_TRUE(IsStorable(journal.results[0].failures.at(0).message));
}

TEST(ParseJournal, ClampsTimesToWhatATimestampHolds) {
  const Journal journal = ParseJournal(HeaderText(1).Set("started_us", "9223372036854775807").Line() +
                                       R"(["S.T",-1,9223372036854775807,"passed",9223372036854775807])"
                                       "\n"
                                       R"(["S.U",0,-5,"passed",-9])"
                                       "\n");
  ASSERT_EQ(journal.results.size(), 2u);
  EXPECT_FALSE(journal.results[0].line);
  EXPECT_EQ(journal.At(journal.last_us).ToString().substr(0, 5), "9999-");
  EXPECT_EQ(journal.results[1].start_us, 0);
  EXPECT_EQ(journal.results[1].duration_us, 0);
}

// The parser may refuse the journal, but what it returns is fit for a store.
void ExpectReadsOrRefuses(const std::string& bytes) {
  try {
    const Journal journal = ParseJournal(bytes);
    EXPECT_EQ(journal.journal_id.size(), 32u);
    for (const JournalResult& result : journal.results) {
      EXPECT_FALSE(result.name.empty());
      EXPECT_TRUE(IsStorable(result.name));
    }
  } catch (const JournalError& error) {
    EXPECT_FALSE(std::string(error.what()).empty());
  }
}

TEST(ParseJournal, ReadsOrRefusesEveryPrefix) {
  const std::string whole = WholeJournal();
  const size_t header = whole.find('\n');
  size_t results = 0;
  for (size_t length = 0; length <= whole.size(); ++length) {
    // A separate buffer, so that AddressSanitizer detects reading past its end.
    const std::string prefix(whole, 0, length);
    ExpectReadsOrRefuses(prefix);
    ExpectReadsOrRefuses(prefix + std::string(100, '\0'));
    if (length < header) continue;
    // A cut after the header never makes the journal unreadable, and a longer prefix never has fewer results.
    const size_t now = ParseJournal(prefix).results.size();
    EXPECT_GE(now, results) << length;
    results = now;
  }
  EXPECT_EQ(results, 4u);
}

TEST(ParseJournal, ReadsOrRefusesEveryFlippedByte) {
  const std::string whole = WholeJournal();
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const int flip : {0x01, 0x20, 0x80, 0xff}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      ExpectReadsOrRefuses(damaged);
    }
    std::string cut = whole;
    cut[at] = '\0';
    ExpectReadsOrRefuses(cut);
  }
}

TEST(ParseJournal, TakesLinearTime) {
  const auto read = [](int tests, size_t message) {
    std::string bytes = HeaderText(1).Line();
    for (int i = 0; i < tests; ++i) bytes += "[\"Suite.Test" + std::to_string(i) + "\",41,1200,\"passed\",350]\n";
    bytes += "[\"Suite.Fails\",1,2,{\"at_us\":3,\"message\":\"" + std::string(message, 'x') + "\"},\"failed\",3]\n";
    // The last line has the same size and is cut.
    bytes += "[\"Suite.Dies\",1,2,{\"at_us\":3,\"message\":\"" + std::string(message, ',');
    const double start = CpuSeconds();
    const Journal journal = ParseJournal(bytes);
    EXPECT_EQ(journal.results.size(), static_cast<size_t>(tests) + 2);
    return CpuSeconds() - start;
  };
  const double seconds = read(100'000, 10 << 20);
  RecordProperty("seconds", std::to_string(seconds));
  EXPECT_LT(seconds, 10.0);  // processor time: far more than sanitizers need, far less than quadratic work would
}

TEST(EndsWithEndLine, OnlyReadsTheLastCompleteLine) {
  EXPECT_TRUE(EndsWithEndLine("x\n" + kPassedEnd));
  EXPECT_FALSE(EndsWithEndLine(kPassedEnd + "x\n"));
  EXPECT_FALSE(EndsWithEndLine("x\n{\"end_us\":1"));
  EXPECT_FALSE(EndsWithEndLine(R"({"end_us":1})"));
  EXPECT_FALSE(EndsWithEndLine(""));
}

// Returns the identity of a process of this machine, in the terms of a header.
ProcessId Here(pid_t pid) {
  ProcessId here;
  here.pid = pid;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> here.boot_id;
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  here.host = host;
  struct stat ns {};
  stat("/proc/self/ns/pid", &ns);
  here.pid_ns = std::to_string(ns.st_ino);
  std::string stat_line;
  std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), stat_line);
  std::istringstream fields(stat_line.substr(stat_line.rfind(')') + 1));
  for (int field = 3; field <= 22; ++field) fields >> here.pid_start;
  return here;
}

TEST(IsAlive, KnowsTheProcessThatRuns) {
  EXPECT_EQ(IsAlive(Here(getpid())), Alive::kYes);
  ProcessId recycled = Here(getpid());
  recycled.pid_start = std::to_string(std::stoll(recycled.pid_start) - 1);
  EXPECT_EQ(IsAlive(recycled), Alive::kNo) << "the process that has the pid now started later";
  ProcessId seen_later = Here(getpid());
  seen_later.pid_start += "1";
  EXPECT_EQ(IsAlive(seen_later), Alive::kYes);
  ProcessId renamed_host = Here(getpid());
  renamed_host.host = "other-host";
  EXPECT_EQ(IsAlive(renamed_host), Alive::kYes) << "a boot id identifies a boot, even if the host was renamed";
}

TEST(IsAlive, KnowsThisProcessAndItsParent) {
  EXPECT_EQ(ThisProcess().pid, getpid());
  EXPECT_EQ(IsAlive(ThisProcess()), Alive::kYes);
  EXPECT_EQ(IsAlive(ProcessHere(getppid())), Alive::kYes);
}

TEST(IsAlive, ReportsThatItCannotTell) {
  ProcessId other_host = Here(getpid());
  other_host.host = "other-host";
  other_host.boot_id = "other-boot";
  EXPECT_EQ(IsAlive(other_host), Alive::kCannotTell);
  ProcessId before_reboot = Here(getpid());
  before_reboot.boot_id = "other-boot";
  EXPECT_EQ(IsAlive(before_reboot), Alive::kNo);
  EXPECT_EQ(IsAlive(ProcessId()), Alive::kCannotTell);
  ProcessId no_start = Here(getpid());
  no_start.pid_start.clear();
  EXPECT_EQ(IsAlive(no_start), Alive::kCannotTell);
}

TEST(IsAlive, ReadsThroughNamesWithBlanksAndParentheses) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_NAME, "a) Z 1 (b) c");
    if (write(ready[1], "x", 1) != 1) _exit(1);
    for (;;) pause();
  }
  char byte;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  const ProcessId writer = Here(child);
  EXPECT_EQ(IsAlive(writer), Alive::kYes);
  kill(child, SIGKILL);
  siginfo_t info;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(IsAlive(writer), Alive::kNo) << "it is a zombie until its parent waits for it";
  waitpid(child, nullptr, 0);
  EXPECT_EQ(IsAlive(writer), Alive::kNo);
  close(ready[0]);
  close(ready[1]);
}

}  // namespace
}  // namespace flaky
