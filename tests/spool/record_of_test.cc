// SPDX-License-Identifier: MIT
#include "spool/record_of.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "history/digest.h"
#include "history/text.h"
#include "spool/journal_parser.h"
#include "spool/spool.h"
#include "tests/support/journal_text.h"
#include "tests/support/part_counts.h"

namespace flaky {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Journal Read(const HeaderText& header, const std::string& lines) { return ParseJournal(header.Line() + lines); }

RunRecord Record(const std::vector<Journal>& journals, const RunContext& context = {}) {
  return RecordOf("run", "part", journals, context);
}

RunRecord Record(const std::string& lines, const RunContext& context = {}) {
  return Record(std::vector{Read(HeaderText(1), lines)}, context);
}

std::vector<std::string> Summaries(const RunRecord& record) {
  std::vector<std::string> texts;
  for (const Failure& failure : record.failures) {
    texts.push_back(failure.test_name + " " + failure.failure_kind + " " + failure.error_message.value_or("-"));
  }
  return texts;
}

TEST(RecordOf, CountsDistinctTests) {
  const RunRecord record = Record(R"(["S.Passes",1,1000,"passed",1])"
                                  "\n"
                                  R"(["S.Fails",2,2000,{"at_us":2100,"message":"m"},"failed",300])"
                                  "\n"
                                  R"(["S.Skips",3,3000,{"at_us":3001,"skip_message":"no"},"skipped",1])"
                                  "\n"
                                  R"(["S.NotRun",4,4000,"not_run",0])"
                                  "\n"
                                  R"(["S.Passes",1,5000,"passed",1])"
                                  "\n" +
                                  kFailedEnd);
  const Account& account = record.parts.at(0).account;
  EXPECT_EQ(account.total_tests, 3);
  EXPECT_EQ(account.passed_tests, 1);
  EXPECT_EQ(account.failed_tests, 1);
  EXPECT_EQ(account.errors_between_tests, 0);
  EXPECT_EQ(account.status, kFail);
  EXPECT_EQ(account.started_at.micros, 1700000000000000);
  EXPECT_EQ(account.ended_at->micros, 1700000000090210);
  EXPECT_EQ(account.duration_ms, 90);
  EXPECT_EQ(record.run.account, account);
  const PartTests expected = {
      {"my_tests", {{"S.Fails", {{1, 0}, 288}}, {"S.Passes", {{2, 0}, 1}}, {"S.Skips", {{0, 1}, 1}}}}};
  EXPECT_EQ(TestsOf(record.parts[0], record.rosters), expected) << "durations are accurate to 10 %";
  EXPECT_EQ(record.failures.at(0).program, "my_tests");
}

TEST(RecordOf, PassesIfEverythingPassed) {
  const RunRecord record = Record(R"(["S.A",1,1,"passed",1])"
                                  "\n" +
                                  kPassedEnd);
  EXPECT_EQ(record.run.account.status, kPass);
  EXPECT_TRUE(record.failures.empty());
  // GoogleTest may know of failures for which there was no event.
  EXPECT_EQ(Record(R"(["S.A",1,1,"passed",1])"
                   "\n" +
                   kFailedEnd)
                .run.account.status,
            kFail);
}

TEST(RecordOf, AFailureThatWasWithdrawnDoesNotCount) {
  const RunRecord record = Record(R"(["S.A",1,1000,{"at_us":1100,"message":"m"},"passed",300])"
                                  "\n" +
                                  kPassedEnd);
  EXPECT_EQ(record.failures.size(), 0u);
  EXPECT_EQ(record.parts.at(0).account.passed_tests, 1);
  EXPECT_EQ(record.run.account.status, kPass);
}

TEST(RecordOf, DescribesAFailure) {
  RunContext context;
  context.root = "/repo/";
  const RunRecord record = Record(
      R"({"file":"/repo/build/../src/a_test.cc"})"
      "\n"
      R"(["S.Before",1,500,"passed",1])"
      "\n"
      R"(["S.NotRun",1,600,"not_run",0])"
      "\n"
      R"(["S.Fails",41,1000,{"at_us":1100,"file":"/repo/src/a_test.cc","line":44,)"
      R"("message":"Expected: x\n\nGoogle Test trace:\n/repo/src/a_test.cc:43: i = 3\n"},)"
      R"({"at_us":1200,"file":"/repo/src/util.h","line":7,"message":"in a helper"},)"
      R"({"at_us":1300,"message":"C++ exception with description \"boom\" thrown in the test body."},"failed",2600])"
      "\n" +
          kFailedEnd,
      context);
  ASSERT_EQ(record.failures.size(), 3u);
  const Failure& first = record.failures[0];
  EXPECT_EQ(first.part_id, "part");
  EXPECT_EQ(first.test_file, "src/a_test.cc");
  EXPECT_EQ(first.test_name, "S.Fails");
  EXPECT_EQ(first.failure_kind, kAssertion);
  EXPECT_EQ(first.error_message, "Expected: x");
  EXPECT_EQ(first.error_stack, "src/a_test.cc:44\nGoogle Test trace:\n/repo/src/a_test.cc:43: i = 3");
  EXPECT_EQ(first.duration_ms, 3);
  EXPECT_EQ(first.failed_at.micros, 1700000000001100);
  EXPECT_EQ(first.line, 44);
  EXPECT_EQ(first.attempt, 0);
  EXPECT_EQ(first.preceding_test, "S.Before");
  EXPECT_FALSE(first.signal);
  EXPECT_EQ(record.failures[1].line, 41) << "the failure is in another file, so this is the line of the test";
  EXPECT_EQ(record.failures[1].error_stack, "src/util.h:7");
  EXPECT_EQ(record.failures[2].failure_kind, kUncaught);
  EXPECT_FALSE(record.failures[2].error_stack);
}

TEST(RecordOf, NamesFilesRelativeToTheRepository) {
  RunContext context;
  context.root = "/repo";
  const auto file = [&](const std::string& written) {
    const RunRecord record =
        Record("{\"file\":" + JsonText(written) + "}\n[\"S.A\",1,1,\"failed\",1]\n" + kFailedEnd, context);
    return record.failures.at(0).test_file;
  };
  EXPECT_EQ(file("/repo/a/b.cc"), "a/b.cc");
  EXPECT_EQ(file("/repository/b.cc"), "/repository/b.cc");
  EXPECT_EQ(file("/repo"), "/repo");
  EXPECT_EQ(file("../src/b.cc"), "../src/b.cc");
  EXPECT_EQ(file("/elsewhere/./x/../b.cc"), "/elsewhere/b.cc");
  EXPECT_EQ(file(""), "[my_tests]");
}

TEST(RecordOf, ADeadProcessFailedTheTestItDiedIn) {
  const RunRecord record = Record(R"(["S.A",1,1000,"passed",1])"
                                  "\n"
                                  R"(["S.Dies",9,2000,{"at_us":2500,"file":"a.cc","line":10,"message":"first"})" +
                                  std::string("\n{\"died\":{\"run_continued\":true}}\n") + std::string(50, '\0'));
  EXPECT_THAT(Summaries(record),
              ElementsAre("S.Dies assertion first", "S.Dies uncaught did not finish: the process died in this test"));
  const Account& account = record.run.account;
  EXPECT_EQ(account.status, kFail);
  EXPECT_EQ(account.failed_tests, 1);
  EXPECT_EQ(account.passed_tests, 1);
  EXPECT_EQ(account.errors_between_tests, 0);
  EXPECT_EQ(account.ended_at->micros, 1700000000002500) << "no process is running, so it has an end";
}

TEST(RecordOf, DescribesADeathAsFarAsItIsKnown) {
  const auto death = [](const std::string& how) {
    const RunRecord record = Record("[\"S.Dies\",9,2000\n{\"died\":{" + how + "}}\n");
    const Failure& failure = record.failures.at(0);
    return failure.signal.value_or("-") + ' ' + std::to_string(failure.duration_ms.value_or(-1)) + ' ' +
           failure.failure_kind + ' ' + failure.error_message.value_or("");
  };
  EXPECT_EQ(death(R"("at_us":1002000,"run_continued":true)"),
            "- 1000 uncaught did not finish: the process died in this test");
  EXPECT_EQ(death(R"("signal":"SIGSEGV")"),
            "SIGSEGV 0 uncaught did not finish: the process was ended by SIGSEGV in this test");
  EXPECT_EQ(death(R"("exit_code":0)"), "- 0 uncaught did not finish: the process ended with exit code 0 in this test");
  EXPECT_EQ(death(R"("at_us":1502000,"time_limit_us":1500000)"),
            "- 1500 timeout did not finish: the process was ended at its time limit of 1.5 s in this test");
  EXPECT_EQ(
      death(R"("signal":"SIGKILL","time_limit_us":60000000)"),
      "SIGKILL 0 timeout did not finish: the process was ended by SIGKILL at its time limit of 60 s in this test");
  EXPECT_EQ(death(R"("signal":"SIGKILL","out_of_memory":true)"),
            "SIGKILL 0 uncaught did not finish: the process was ended by SIGKILL in this test; "
            "the kernel's OOM killer was active at the time");
}

TEST(RecordOf, ATestThatCallsExitFailed) {
  const RunRecord record = Record(R"(["S.Exits",9,2000,"exited",7,3])"
                                  "\n");
  EXPECT_THAT(Summaries(record),
              ElementsAre("S.Exits uncaught the test called exit(3); later tests in this process did not run"));
  EXPECT_EQ(record.run.account.errors_between_tests, 0);
}

TEST(RecordOf, ATestThatWasLeftBeforeTheExitHasNotCalledIt) {
  const RunRecord record = Record(R"(["S.Jumps",9,2000,"exited",7,3,"open"])"
                                  "\n");
  EXPECT_THAT(Summaries(record), ElementsAre("S.Jumps uncaught the process ended with exit code 3 while this test was "
                                             "open; later tests in this process did not run"));
}

TEST(RecordOf, FailuresOutsideOfTestsAreErrorsBetweenThem) {
  const RunRecord record =
      Record(R"({"file":"/src/s_test.cc"})"
             "\n"
             R"({"suite":"S","failure":{"at_us":10,"file":"/src/fixture.h","line":3,"message":"set-up"}})"
             "\n"
             R"(["S.A",1,1000,"not_run",0])"
             "\n"
             R"({"failure":{"at_us":2000,"file":"/src/env.cc","line":8,"message":"environment"}})"
             "\n" +
             kFailedEnd);
  const Account& account = record.run.account;
  EXPECT_EQ(account.errors_between_tests, 2);
  EXPECT_EQ(account.failed_tests, 0);
  EXPECT_EQ(account.total_tests, 0);
  EXPECT_EQ(account.status, kFail);
  EXPECT_THAT(Summaries(record), ElementsAre("S assertion set-up", "my_tests assertion environment"));
  EXPECT_EQ(record.failures[0].test_file, "/src/s_test.cc") << "the file of its tests";
  EXPECT_EQ(record.failures[1].test_file, "/src/env.cc");
  EXPECT_FALSE(record.failures[0].attempt);
}

TEST(RecordOf, AnEarlyEndIsNamed) {
  const auto early = [](const std::string& died) {
    const RunRecord record = Record("[\"S.A\",1,1000,\"passed\",1]\n[\"S.B\",9,2000" + died);
    EXPECT_THAT(record.failures, IsEmpty()) << died;
    EXPECT_EQ(record.run.account.status, std::nullopt) << died;
    EXPECT_EQ(record.run.account.total_tests, 1) << "S.B neither passed nor failed: " << died;
    EXPECT_EQ(record.run.account.errors_between_tests, 0) << died;
    EXPECT_EQ(CountsOf(record), (Counts{{"S.A", {1, 0}}})) << died;
    return record.parts.at(0).ended_early.value_or("");
  };
  const auto element = [](const std::string& cause, const std::string& signal = "") {
    return R"([{"cause":")" + cause + R"(","test":"S.B","program":"my_tests")" + signal + "}]";
  };
  EXPECT_EQ(early(""), element("unknown"));
  EXPECT_EQ(early("\n{\"died\":{\"at_us\":5000}}\n"), element("unknown"));
  for (const std::string signal : {"SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"}) {
    EXPECT_EQ(early("\n{\"died\":{\"signal\":\"" + signal + "\"}}\n"),
              element("interrupted", ",\"signal\":\"" + signal + "\""));
  }
  EXPECT_EQ(early("\n{\"died\":{\"interrupted_by\":\"\"}}\n"), element("interrupted"));
  EXPECT_EQ(early("\n{\"died\":{\"interrupted_by\":\"SIGINT\",\"exit_code\":2}}\n"),
            element("interrupted", R"(,"signal":"SIGINT")"));
}

TEST(RecordOf, AProcessThatEndsBetweenTestsIsAnError) {
  const RunRecord record = Record(R"(["S.A",1,1000,"passed",1])"
                                  "\n"
                                  R"({"died":{"run_continued":true}})"
                                  "\n");
  EXPECT_EQ(record.run.account.errors_between_tests, 1);
  EXPECT_EQ(record.run.account.status, kFail);
  EXPECT_THAT(Summaries(record), ElementsAre("my_tests uncaught did not finish: the process ended between tests"));
  EXPECT_EQ(record.failures[0].preceding_test, "S.A");
  EXPECT_EQ(record.failures[0].test_file, "[my_tests]");
}

TEST(RecordOf, WhatCouldNotBeRecordedDoesNotFailATest) {
  const RunRecord without_end = Record(R"(["S.A",1,1000,"passed",1])"
                                       "\n"
                                       R"(["S.B",1,2000])"
                                       "\n"
                                       R"({"lost":"No space left on device"})"
                                       "\n");
  EXPECT_EQ(without_end.run.account.total_tests, 1);
  EXPECT_EQ(without_end.run.account.failed_tests, 0);
  EXPECT_EQ(without_end.run.account.status, std::nullopt);
  EXPECT_EQ(without_end.run.account.errors_between_tests, 0);
  EXPECT_THAT(Summaries(without_end), IsEmpty());
  EXPECT_THAT(without_end.parts[0].ended_early.value_or(""), HasSubstr("No space left on device"));
  // The end line is written from a reserve. Then the result that GoogleTest reports counts.
  const RunRecord with_end = Record(R"(["S.A",1,1000,"passed",1])"
                                    "\n"
                                    R"({"lost":"No space left on device"})"
                                    "\n" +
                                    kPassedEnd);
  EXPECT_EQ(with_end.run.account.errors_between_tests, 0);
  EXPECT_EQ(with_end.run.account.status, kPass);
}

TEST(RecordOf, ProgramsHaveTheirOwnAttempts) {
  const auto journal = [](uint64_t number, const std::string& program, const std::string& outcome) {
    return Read(HeaderText(number).Set("args", "[" + JsonText(program) + "]"),
                "{\"file\":\"/src/blas_test.cc\"}\n[\"Blas.Gemm\",1,1000,\"" + outcome + "\",1]\n" + kPassedEnd);
  };
  const RunRecord record = Record(std::vector{journal(1, "/b/blas_cpu", "passed"), journal(2, "/b/blas_gpu", "failed"),
                                              journal(3, "/b/blas_cpu", "passed"), journal(4, "blas_cpu", "passed")});
  EXPECT_EQ(record.run.account.total_tests, 3) << "the last one is another program, in /nowhere/build";
  EXPECT_EQ(record.run.account.passed_tests, 2);
  ASSERT_EQ(record.failures.size(), 1u);
  EXPECT_EQ(record.failures[0].attempt, 0);
  EXPECT_EQ(record.failures[0].program, "blas_gpu");
  const PartTests expected = {{"b/blas_cpu", {{"Blas.Gemm", {{2, 0}, 1}}}},
                              {"blas_gpu", {{"Blas.Gemm", {{1, 0}, 1}}}},
                              {"build/blas_cpu", {{"Blas.Gemm", {{1, 0}, 1}}}}};
  EXPECT_EQ(TestsOf(record.parts[0], record.rosters), expected) << "folders tell equal file names apart";
}

TEST(RecordOf, AFailureNamesItsRank) {
  const auto rank = [](const std::string& number, const std::string& ranks) {
    HeaderText header(1);
    header.SetText("variant", "asan").Set("rank", number);
    if (!ranks.empty()) header.Set("ranks", ranks);
    return Record(std::vector{Read(header, "[\"S.A\",1,1000,\"failed\",1]\n" + kFailedEnd)});
  };
  EXPECT_EQ(rank("2", "4").parts[0].variant, "asan");
  EXPECT_EQ(rank("2", "4").parts[0].rank, 2);
  EXPECT_EQ(rank("0", "4").parts[0].rank, 0);
  EXPECT_EQ(rank("0", "").parts[0].rank, std::nullopt);
  EXPECT_EQ(rank("2", "").parts[0].rank, 2);
  EXPECT_EQ(rank("2", "4").failures[0].error_stack, "rank 2 of 4");
  EXPECT_EQ(rank("2", "").failures[0].error_stack, "rank 2");
  EXPECT_EQ(rank("0", "4").parts[0].variant, "asan");
  EXPECT_EQ(rank("0", "4").failures[0].error_stack, "rank 0 of 4");
  EXPECT_EQ(rank("0", "").failures[0].error_stack, std::nullopt) << "a batch job that is not an MPI program";
}

TEST(RecordOf, APartHasTheFactsOfItsProcesses) {
  const auto journal = [](uint64_t number, const std::string& host, const std::string& seed) {
    HeaderText header(number);
    header.SetText("host", host).Set("tests_to_run", "3");
    if (!seed.empty()) header.Set("shuffle_seed", seed);
    return Read(header, "[\"S.A\",1,1000,\"passed\",1]\n" + kPassedEnd);
  };
  const Part same = Record(std::vector{journal(1, "build7", ""), journal(2, "build7", "5")}).parts[0];
  EXPECT_EQ(same.host, "build7");
  EXPECT_EQ(same.shuffle_seed, 5);
  EXPECT_EQ(same.planned_tests, 6);
  const Part other = Record(std::vector{journal(1, "build7", ""), journal(2, "build8", "")}).parts[0];
  EXPECT_EQ(other.host, std::nullopt);
  EXPECT_EQ(other.shuffle_seed, std::nullopt);
  const Part command = Record(std::vector{Read(HeaderText(1).Set("command", "true"), kPassedEnd)}).parts[0];
  EXPECT_EQ(command.planned_tests, std::nullopt);
}

TEST(RecordOf, AFailureHasTheParameterOfItsTest) {
  const RunRecord record = Record(
      R"(["S.A/0",1,1000,{"parameter":"4"},{"at_us":1001,"message":"one"},{"at_us":1002,"message":"two"},"failed",1])"
      "\n"
      R"(["S.A/1",1,1000,{"parameter":"5"},"passed",1])"
      "\n"
      R"(["S.A/2",1,1000,{"parameter":"6"})"
      "\n"
      R"({"died":{"signal":"SIGSEGV"}})"
      "\n");
  ASSERT_EQ(record.failures.size(), 3u);
  EXPECT_EQ(record.failures[0].parameter, "4");
  EXPECT_EQ(record.failures[1].parameter, "4");
  EXPECT_EQ(record.failures[2].parameter, "6") << "the process died in it";
}

TEST(RecordOf, ADurationIsTheMeanOfAllExecutions) {
  const RunRecord record = Record(R"(["S.A",1,10,"passed",100])"
                                  "\n"
                                  R"(["S.Skips",1,20,"skipped",100])"
                                  "\n"
                                  R"({"iteration":1})"
                                  "\n"
                                  R"(["S.A",1,30,"passed",200])"
                                  "\n"
                                  R"({"iteration":2})"
                                  "\n"
                                  R"(["S.A",1,40,{"at_us":41,"message":"m"},"failed",600])"
                                  "\n"
                                  R"({"iteration":9,"counted":true})"
                                  "\n" +
                                  kPassedEnd);
  const PartTests tests = TestsOf(record.parts[0], record.rosters);
  const PartTest& test = tests.begin()->second.at("S.A");
  EXPECT_EQ(test.counts.executed, 10);
  EXPECT_NEAR(static_cast<double>(test.duration_us.value_or(0)), 300, 30) << "of the three that were measured";
  EXPECT_NEAR(static_cast<double>(tests.begin()->second.at("S.Skips").duration_us.value_or(0)), 100, 10);
}

TEST(RecordOf, SeveralResultsOfATestAreAttempts) {
  const RunRecord record = Record(R"(["S.A",1,1000,{"at_us":1001,"message":"one"},"failed",1])"
                                  "\n"
                                  R"({"iteration":1,"shuffle_seed":6})"
                                  "\n"
                                  R"(["S.A",1,2000,"passed",1])"
                                  "\n"
                                  R"({"iteration":2,"shuffle_seed":7})"
                                  "\n"
                                  R"(["S.A",1,3000,{"at_us":3001,"message":"three"},"failed",1])"
                                  "\n" +
                                  kFailedEnd);
  EXPECT_EQ(record.run.account.total_tests, 1);
  EXPECT_EQ(record.run.account.failed_tests, 1);
  ASSERT_EQ(record.failures.size(), 2u);
  EXPECT_EQ(record.failures[0].attempt, 0);
  EXPECT_EQ(record.failures[1].attempt, 2);
  EXPECT_EQ(record.failures[1].shuffle_seed, 7);
  EXPECT_EQ(record.failures[1].preceding_test, "S.A");
  EXPECT_EQ(CountsOf(record), (Counts{{"S.A", {3, 0}}}));
}

TEST(RecordOf, AttemptsAreNumberedAcrossTheProcessesOfAPart) {
  const auto process = [](uint64_t number, int64_t started_us, const std::string& lines) {
    return Read(HeaderText(number).Set("started_us", std::to_string(started_us)).Set("shard", "[0,2]"), lines);
  };
  const std::vector<Journal> journals = {
      process(3, 1700000002000000,
              R"(["S.A",1,5,{"at_us":6,"message":"again"},"failed",1])"
              "\n" +
                  kFailedEnd),
      process(1, 1700000000000000,
              R"(["S.A",1,5,{"at_us":6,"message":"first"},"failed",1])"
              "\n" +
                  kFailedEnd),
      process(2, 1700000001000000,
              R"(["S.A",1,5,"passed",1])"
              "\n"
              R"(["S.B",1,9,"passed",1])"
              "\n" +
                  kPassedEnd),
  };
  const RunRecord record = Record(journals);
  EXPECT_EQ(record.run.account.total_tests, 2);
  EXPECT_EQ(record.run.account.failed_tests, 1);
  EXPECT_EQ(record.run.account.passed_tests, 1);
  EXPECT_EQ(record.run.account.started_at.micros, 1700000000000000);
  EXPECT_EQ(record.run.account.ended_at->micros, 1700000002090210);
  EXPECT_EQ(record.parts.at(0).shard, "0/2");
  ASSERT_EQ(record.failures.size(), 2u);
  EXPECT_EQ(record.failures[0].error_message, "first");
  EXPECT_EQ(record.failures[0].attempt, 0);
  EXPECT_EQ(record.failures[1].error_message, "again");
  EXPECT_EQ(record.failures[1].attempt, 2);

  std::vector<Journal> shuffled = {journals[1], journals[2], journals[0]};
  EXPECT_EQ(DigestOf(Record(shuffled)), DigestOf(record));
}

TEST(RecordOf, CountsATestForEachProgram) {
  const auto process = [](uint64_t number, const std::string& program) {
    return Read(HeaderText(number).Set("args", "[" + JsonText(program) + "]"), std::string(R"(["S.A",1,5,"passed",1])"
                                                                                           "\n") +
                                                                                   kPassedEnd);
  };
  EXPECT_EQ(Record(std::vector{process(1, "/b/one"), process(2, "/b/two")}).run.account.total_tests, 2);
}

TEST(RecordOf, KeepsOnlyWhatTheProcessesOfAPartAgreeOn) {
  const Journal one = Read(HeaderText(1).SetText("variant", "asan").Set("shard", "[0,2]"), kPassedEnd);
  const Journal two =
      Read(HeaderText(2).SetText("variant", "asan").Set("shard", "[1,2]").Set("args", R"(["x"])"), kPassedEnd);
  const RunRecord record = Record(std::vector{one, two});
  EXPECT_EQ(record.parts.at(0).variant, "asan");
  EXPECT_FALSE(record.parts.at(0).shard);
  EXPECT_FALSE(record.run.test_args);
}

TEST(RecordOf, QuotesTheCommandLineForAShell) {
  const Journal journal = Read(
      HeaderText(1).Set("args", R"(["/a b/my_tests","--gtest_filter=S.*:-S.B","--name=it's","","a b"])"), kPassedEnd);
  const RunRecord record = Record(std::vector{journal});
  EXPECT_EQ(record.run.test_args, R"(my_tests '--gtest_filter=S.*:-S.B' '--name=it'\''s' '' 'a b')");
  EXPECT_EQ(record.run.runtime_version, "GCC 12.2.0, Linux 6.1.0 x86_64");
}

TEST(RecordOf, CarriesTheContext) {
  RunContext context;
  context.project = "demo";
  context.git_sha = "s";
  context.tree_sha = "t";
  context.branch = "main";
  context.ci_url = "https://ci/1";
  context.git_dirty = true;
  const auto run = Record(kPassedEnd, context).run;
  EXPECT_EQ(run.run_id, "run");
  EXPECT_EQ(run.project, "demo");
  EXPECT_EQ(run.git_sha, "s");
  EXPECT_EQ(run.tree_sha, "t");
  EXPECT_EQ(run.branch, "main");
  EXPECT_EQ(run.ci_url, "https://ci/1");
  EXPECT_EQ(run.git_dirty, true);
}

}  // namespace
}  // namespace flaky
