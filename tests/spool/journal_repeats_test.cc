// SPDX-License-Identifier: MIT

// Journals of endless repeats and of very many failures: everything is counted, and memory is bounded.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>

#include "spool/journal_parser.h"
#include "spool/record_of.h"
#include "tests/spool/spool_fixture.h"
#include "tests/support/journal_text.h"
#include "tests/support/part_counts.h"

namespace flaky {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kFirstIteration[] = R"(["S.Sometimes",4,10,"passed",1])"
                                   "\n"
                                   R"(["S.Passes",5,20,"passed",1])"
                                   "\n"
                                   R"(["S.Skips",6,30,{"at_us":31,"skip_message":"no"},"skipped",1])"
                                   "\n";

std::string Counted(int64_t iteration) {
  return R"({"iteration":)" + std::to_string(iteration) +
         R"(,"counted":true})"
         "\n";
}

Journal Read(const std::string& lines) { return ParseJournal(HeaderText(1).Set("tests_to_run", "3").Line() + lines); }

RunRecord Record(const Journal& journal) { return RecordOf("run", "part", {journal}, {}); }

// Returns "S.Test 3" for each test that was executed three times, or "S.Test 3+2" if it was skipped twice in addition.
std::vector<std::string> TestsOf(const RunRecord& record) {
  std::vector<std::string> texts;
  for (const auto& [name, counts] : CountsOf(record)) {
    texts.push_back(name + ' ' + std::to_string(counts.executed));
    if (counts.skipped > 0) texts.back() += '+' + std::to_string(counts.skipped);
  }
  return texts;
}

TEST(JournalRepeats, CountsTestsWithoutAResult) {
  const Journal journal = Read(kFirstIteration + Counted(7) +
                               R"({"after":"S.Skips"})"
                               "\n"
                               R"(["S.Sometimes",4,70,{"at_us":71,"message":"m"},"failed",1])"
                               "\n" +
                               Counted(99) + kFailedEnd);
  const RunRecord record = Record(journal);
  EXPECT_THAT(TestsOf(record), ElementsAre("S.Passes 100", "S.Skips 0+100", "S.Sometimes 100"));
  ASSERT_THAT(record.failures, SizeIs(1));
  EXPECT_EQ(record.failures[0].attempt, 7);
  EXPECT_EQ(record.failures[0].preceding_test, "S.Skips");
  EXPECT_EQ(record.parts[0].account.passed_tests, 1);
  EXPECT_EQ(record.parts[0].account.failed_tests, 1);
}

TEST(JournalRepeats, TheIterationInWhichTheProcessDiedIsNotCounted) {
  const Journal journal = Read(kFirstIteration + Counted(10) +
                               R"({"after":"S.Sometimes"})"
                               "\n"
                               "[\"S.Passes\",5,70\n{\"died\":{\"run_continued\":true}}\n");
  const RunRecord record = Record(journal);
  EXPECT_THAT(TestsOf(record), ElementsAre("S.Passes 11", "S.Skips 0+10", "S.Sometimes 10"));
  ASSERT_THAT(record.failures, SizeIs(1));
  EXPECT_EQ(record.failures[0].test_name, "S.Passes");
  EXPECT_EQ(record.failures[0].attempt, 10);
  EXPECT_EQ(record.failures[0].preceding_test, "S.Sometimes");
  EXPECT_THAT(record.failures[0].error_message.value_or(""), HasSubstr("did not finish"));
}

TEST(JournalRepeats, ATestThatPassesAlthoughItWasSkippedFirstIsListed) {
  const Journal journal = Read(kFirstIteration + Counted(1) +
                               R"(["S.Skips",6,70,"passed",1])"
                               "\n" +
                               Counted(2) + kFailedEnd);
  EXPECT_THAT(TestsOf(Record(journal)), ElementsAre("S.Passes 3", "S.Skips 1+2", "S.Sometimes 3"));
}

TEST(JournalRepeats, ListedPassesNeedNoMemoryEach) {
  std::string lines = kFirstIteration;
  for (int i = 1; i < 20'000; ++i) lines += R"({"iteration":)" + std::to_string(i) + "}\n" + kFirstIteration;
  const Journal journal = Read(lines + kPassedEnd);
  EXPECT_THAT(journal.results, SizeIs(3));
  EXPECT_THAT(TestsOf(Record(journal)), ElementsAre("S.Passes 20000", "S.Skips 0+20000", "S.Sometimes 20000"));
}

TEST(JournalRepeats, AnyNumbersOfIterationsAreRead) {
  for (const char* number : {"-5", "0", "9223372036854775807", "-9223372036854775808"}) {
    std::string lines = kFirstIteration;
    for (int i = 0; i < 3; ++i)
      lines += std::string(R"({"iteration":)") + number +
               R"(,"counted":true})"
               "\n";
    const Journal journal = Read(lines + kPassedEnd);
    for (const JournalResult& result : journal.results) EXPECT_GE(result.executions, 1) << number;
  }
}

std::string ManyFailures(int count, size_t size) {
  std::string lines;
  for (int i = 0; i < count; ++i) {
    lines += R"({"iteration":)" + std::to_string(i) + "}\n" + R"(["S.T",4,10,{"at_us":1,"message":")" +
             std::string(size, 'x') + "\"},\"failed\",1]\n";
  }
  return lines;
}

TEST(JournalRepeats, FailuresThatAreTooManyAreCounted) {
  const RunRecord record = Record(Read(ManyFailures(200, 100'000) + kFailedEnd));
  EXPECT_THAT(TestsOf(record), ElementsAre("S.T 200"));
  EXPECT_GT(record.failures.size(), 100u);
  EXPECT_LT(record.failures.size(), 130u);
  EXPECT_THAT(record.failures.back().error_message.value_or(""),
              HasSubstr("failed " + std::to_string(200 - record.failures.size()) + " more times in this process"));
}

TEST(JournalRepeats, EveryFailedTestKeepsAFailure) {
  std::string lines;
  for (int i = 0; i < 3; ++i) {
    lines += R"(["S.T)" + std::to_string(i) + R"(",4,10,{"at_us":1,"message":")" + std::string(9'000'000, 'x') +
             "\"},{\"at_us\":2,\"message\":\"" + std::string(5'000'000, 'y') + "\"},\"failed\",1]\n";
  }
  const RunRecord record = Record(Read(lines + kFailedEnd));
  ASSERT_THAT(record.failures, SizeIs(3));
  EXPECT_THAT(record.failures[0].error_message.value_or(""), HasSubstr("1 more failures of this execution"));
  EXPECT_EQ(record.failures[0].error_message->substr(0, 3), "xxx");
  EXPECT_GT(record.failures[0].error_message->size(), 9'000'000u);
  EXPECT_THAT(record.failures[1].error_message.value_or(""), HasSubstr("more bytes were cut"));
  EXPECT_LT(record.failures[1].error_message->size(), 1000u);
}

TEST(JournalRepeats, FailuresOutsideOfTestsAreCounted) {
  std::string lines;
  for (int i = 0; i < 200; ++i) {
    lines += R"({"suite":"S","failure":{"at_us":1,"message":")" + std::string(100'000, 'x') + "\"}}\n";
  }
  const RunRecord record = Record(Read(lines + kFailedEnd));
  EXPECT_LT(record.failures.size(), 130u);
  EXPECT_EQ(record.parts[0].account.errors_between_tests, 200);
  EXPECT_THAT(record.failures.back().error_message.value_or(""), HasSubstr("more failures outside of tests"));
}

// A line that is too long to be kept whole is read element by element. The result is the same.
TEST(JournalRepeats, TheSizeOfThePiecesDoesNotMatter) {
  std::string lines = kFirstIteration;
  lines += R"(["S.Long",9,40)";
  for (int i = 0; i < 4000; ++i) {
    lines += R"(,{"at_us":)" + std::to_string(i) + R"(,"file":"f","line":3,"message":"a\",[{]}\\)" +
             std::string(500, 'z') + "\"}";
  }
  const std::string ended = lines + ",\"failed\",3]\n" + kFailedEnd;
  const std::string cut = lines + R"(,{"at_us":)";
  const std::string died = cut + "\n" + R"({"died":{"at_us":9000,"signal":"SIGSEGV"}})" + "\n";
  for (const std::string& text : {ended, cut, died}) {
    const std::string bytes = HeaderText(1).Line() + text;
    const Journal whole = ParseJournal(bytes);
    EXPECT_THAT(whole.results.at(3).failures, SizeIs(4000));
    EXPECT_EQ(whole.results.at(3).failures.back().message.size(), 508u);
    for (const size_t size : {size_t{1'000}, size_t{65'537}, size_t{700'001}}) {
      FailureBudget budget;
      JournalParser parser(budget);
      for (size_t at = 0; at < bytes.size(); at += size) parser.Add(std::string_view(bytes).substr(at, size));
      const Journal journal = parser.Finish();
      ASSERT_THAT(journal.results, SizeIs(4));
      EXPECT_EQ(journal.results[3].outcome, whole.results[3].outcome);
      EXPECT_EQ(journal.results[3].duration_us, whole.results[3].duration_us);
      EXPECT_THAT(journal.results[3].failures, SizeIs(4000));
      EXPECT_EQ(journal.end_us, whole.end_us);
      EXPECT_EQ(journal.died.has_value(), whole.died.has_value());
    }
  }
}

TEST(JournalRepeats, ADamagedLongLineIsNamed) {
  std::string lines = R"(["S.Long",9,40)";
  for (int i = 0; i < 2000; ++i) lines += R"(,{"at_us":1,"message":")" + std::string(500, 'z') + "\"}";
  for (const char* rest : {",nonsense,\"failed\",3]\n", ",\"won\",3]\n", "\n[\"S.T\",1,1,\"passed\",1]\n"}) {
    try {
      ParseJournal(HeaderText(1).Line() + lines + rest + kPassedEnd);
      ADD_FAILURE() << "was accepted: " << rest;
    } catch (const JournalError& error) {
      EXPECT_THAT(error.what(), HasSubstr("line 2 ")) << rest;
    }
  }
}

// A process that was killed leaves NULs after its journal, so its end is looked for.
TEST_F(SpoolTest, ALargeJournalOfAKilledProcessNeedsLittleMemory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer needs all the address space itself";
#endif
  std::string lines = DeadHeader(1).Line();
  for (int64_t i = 0; lines.size() < (64u << 20); ++i) {
    lines += R"({"iteration":)" + std::to_string(i) + "}\n" + kFirstIteration;
  }
  PutJournal(spool(), 1, lines + std::string(4096, '\0'));
  lines = {};
  const pid_t child = fork();
  if (child == 0) {
    int64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const auto most = static_cast<rlim_t>(pages * sysconf(_SC_PAGESIZE) + (32 << 20));
    const rlimit limit{most, most};
    _exit(setrlimit(RLIMIT_AS, &limit) == 0 && TakeAll().records.size() == 1 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(JournalRepeats, ReportsHowManyResultsAreMissing) {
  const RunRecord record = Record(ParseJournal(HeaderText(1).Set("tests_to_run", "101").Line() + kFirstIteration +
                                               R"({"lost":"Permission denied"})" + "\n"));
  EXPECT_EQ(record.parts[0].ended_early,
            R"([{"cause":"unrecorded","program":"my_tests","reason":"3 of 101 results recorded: Permission denied"}])");
  EXPECT_EQ(record.run.account.missing_tests, 98);
}

}  // namespace
}  // namespace flaky
