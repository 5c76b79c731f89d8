// SPDX-License-Identifier: MIT
#include "history/digest.h"
#include "tests/formats/results_fixture.h"
#include "tests/support/part_counts.h"

// What a line means in the history, and back.
namespace flaky {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

std::string Results(const std::string& results) { return Line("r", ",\"results\":[" + results + "]"); }

TEST_F(ResultsTest, APartHasTheCountsOfItsTests) {
  const RunRecord record = OneRecord(
      R"({"run_id":"r","part_id":"p","project":"engine","started_at":"2026-01-01T00:00:00Z",)"
      R"("ended_at":"2026-01-01T00:00:05Z","git_sha":"abc","git_dirty":true,"tree_sha":"def","branch":"main",)"
      R"("ci_url":"https://ci","runtime_version":"GCC","arguments":"t -x","variant":"asan","shard":"1/2",)"
      R"("host":"ci-7","commit_time":"2025-12-31T23:00:00Z","shuffled":true,"shuffle_seed":7,)"
      R"("passed":["A.B","A.C"],"skipped":["A.D"],"results":[{"name":"A.E","outcome":"failed"},)"
      R"({"name":"A.E","outcome":"passed"},{"name":"A.F","outcome":"skipped"}]})");
  EXPECT_EQ(record.run.run_id, "r");
  EXPECT_EQ(record.run.project, "engine");
  EXPECT_EQ(record.run.git_sha, "abc");
  EXPECT_EQ(record.run.git_dirty, true);
  EXPECT_EQ(record.run.tree_sha, "def");
  EXPECT_EQ(record.run.branch, "main");
  EXPECT_EQ(record.run.ci_url, "https://ci");
  EXPECT_EQ(record.run.runtime_version, "GCC");
  EXPECT_EQ(record.run.test_args, "t -x");
  EXPECT_EQ(record.run.commit_at, At(-3600));
  ASSERT_THAT(record.parts, SizeIs(1));
  const Part& part = record.parts[0];
  EXPECT_EQ(part.variant, "asan");
  EXPECT_EQ(part.shard, "1/2");
  EXPECT_EQ(part.host, "ci-7");
  EXPECT_EQ(part.shuffle_seed, 7);
  EXPECT_EQ(part.ended_early, std::nullopt);
  EXPECT_EQ(part.account, record.run.account);
  EXPECT_EQ(part.account.started_at, At(0));
  EXPECT_EQ(part.account.ended_at, At(5));
  EXPECT_EQ(part.account.duration_ms, 5000);
  EXPECT_EQ(part.account.status, kFail);
  EXPECT_EQ(part.account.total_tests, 5);
  EXPECT_EQ(part.account.passed_tests, 2);
  EXPECT_EQ(part.account.failed_tests, 1);
  EXPECT_EQ(part.account.errors_between_tests, 0);
  EXPECT_THAT(CountsOf(record),
              ElementsAre(Pair("A.B", TestCounts{1, 0}), Pair("A.C", TestCounts{1, 0}), Pair("A.D", TestCounts{0, 1}),
                          Pair("A.E", TestCounts{2, 0}), Pair("A.F", TestCounts{0, 1})));
}

TEST_F(ResultsTest, AFailureKeepsItsDetailsAndItsAttempt) {
  const RunRecord record = OneRecord(Line(
      "r", R"(,"part_id":"p","shuffle_seed":7,"program":"t","results":[{"name":"A.B","outcome":"passed"},)"
           R"({"name":"A.B","outcome":"failed","file":"b.cc","line":12,"duration_ms":1.5,"message":"m","stack":"s",)"
           R"("at":"2026-01-01T00:00:03Z","preceding_test":"A.A","shuffle_seed":8,"parameter":"3"},)"
           R"({"name":"A.B","outcome":"crashed","signal":"SIGSEGV"},)"
           R"({"name":"A.B","outcome":"timeout","program":"u"}])"));
  ASSERT_THAT(record.failures, SizeIs(3));
  Failure expected;
  expected.part_id = "p";
  expected.test_file = "b.cc";
  expected.test_name = "A.B";
  expected.failure_kind = kAssertion;
  expected.error_message = "m";
  expected.error_stack = "s";
  expected.duration_ms = 2;
  expected.failed_at = At(3);
  expected.line = 12;
  expected.attempt = 1;
  expected.shuffle_seed = 8;
  expected.preceding_test = "A.A";
  expected.program = "t";
  expected.parameter = "3";
  EXPECT_EQ(record.failures[0], expected);
  EXPECT_EQ(record.failures[1].failure_kind, kUncaught);
  EXPECT_EQ(record.failures[1].signal, "SIGSEGV");
  EXPECT_EQ(record.failures[1].attempt, 2);
  EXPECT_EQ(record.failures[1].shuffle_seed, 7) << "of the line";
  EXPECT_EQ(record.failures[1].failed_at, At(0)) << "no other time is known";
  EXPECT_EQ(record.failures[1].test_file, "[t]") << "no file is known";
  EXPECT_EQ(record.failures[2].failure_kind, kTimeout);
  EXPECT_EQ(record.failures[2].program, "u");
  EXPECT_EQ(record.failures[2].attempt, 0) << "of another test";
}

TEST_F(ResultsTest, ANameWithoutADotIsAFailureOutsideOfTests) {
  const RunRecord record = OneRecord(Results(R"({"name":"engine_test","outcome":"crashed","message":"died"},)"
                                             R"({"name":"Suite","outcome":"failed","file":"suite_test.cc"})"));
  EXPECT_EQ(record.run.account.errors_between_tests, 2);
  EXPECT_EQ(record.run.account.failed_tests, 0);
  EXPECT_EQ(record.run.account.total_tests, 0);
  EXPECT_EQ(record.run.account.status, kFail);
  EXPECT_EQ(record.failures[0].test_file, "[engine_test]");
  EXPECT_EQ(record.failures[0].attempt, std::nullopt);
  EXPECT_EQ(record.failures[0].program, std::nullopt);
  EXPECT_EQ(record.failures[1].test_file, "suite_test.cc");
  const RunRecord known =
      OneRecord(Line("r", R"(,"program":"engine_test","results":[{"name":"Suite","outcome":"failed"}])"));
  EXPECT_EQ(known.failures[0].test_file, "[engine_test]");
  EXPECT_EQ(known.failures[0].program, "engine_test");
}

TEST_F(ResultsTest, AnInterruptedPartHasNoStatusUnlessATestFailed) {
  const RunRecord interrupted = OneRecord(Line("r", R"(,"program":"t","interrupted":"SIGINT","passed":["A.B"])"));
  EXPECT_EQ(interrupted.run.account.status, std::nullopt);
  EXPECT_EQ(interrupted.parts[0].ended_early, R"([{"cause":"interrupted","program":"t","signal":"SIGINT"}])");
  EXPECT_EQ(OneRecord(Line("r", R"(,"interrupted":"unknown")")).parts[0].ended_early, R"([{"cause":"unknown"}])");
  EXPECT_EQ(OneRecord(Line("r", R"(,"interrupted":"unrecorded: the disk is full")")).parts[0].ended_early,
            R"([{"cause":"unrecorded","reason":"the disk is full"}])");
  EXPECT_EQ(OneRecord(Line("r", R"(,"interrupted":"SIGINT","results":[{"name":"A.B","outcome":"failed"}])"))
                .run.account.status,
            kFail);
}

TEST_F(ResultsTest, WithoutAnEndTheLastKnownMomentCounts) {
  EXPECT_EQ(OneRecord(Line("r")).run.account.ended_at, At(0));
  EXPECT_EQ(OneRecord(Results(R"({"name":"A.B","outcome":"passed","duration_ms":1500},)"
                              R"({"name":"A.C","outcome":"passed","duration_ms":500})"))
                .run.account.ended_at,
            At(2));
  EXPECT_EQ(OneRecord(Results(R"({"name":"A.B","outcome":"failed","at":"2026-01-01T00:01:00Z"})")).run.account.ended_at,
            At(60));
}

TEST_F(ResultsTest, WhatTheModelCannotHoldIsCounted) {
  LeftOutCounts not_kept;
  RecordOf(OneLine(Line("r")), not_kept);
  RecordOf(OneLine(Line("r", R"(,"passed":["A.B"],"shard":"1/2")")), not_kept);
  EXPECT_THAT(not_kept, IsEmpty());
  RecordOf(OneLine(Line("r", R"(,"host":"h","commit_time":"2026-01-01T00:00:00Z","shuffled":true,"shuffle_seed":7,)"
                             R"("program":"t","results":[{"name":"A.B","outcome":"passed","duration_ms":3},)"
                             R"({"name":"A.C","outcome":"failed","parameter":"1"}])")),
           not_kept);
  RecordOf(OneLine(Line("r", R"(,"shuffled":false)")), not_kept);
  EXPECT_THAT(not_kept, IsEmpty());
  const ResultsLine line =
      OneLine(Line("r", R"(,"shuffled":true,"results":[{"name":"A.B","outcome":"passed","parameter":"1"},)"
                        R"({"name":"A.C","outcome":"skipped","duration_ms":1}])"));
  for (int i = 0; i < 2; ++i) RecordOf(line, not_kept);
  EXPECT_EQ(RecordOf(OneLine(Line("r", R"(,"shuffled":false,"shuffle_seed":7)")), not_kept).parts[0].shuffle_seed,
            std::nullopt);
  EXPECT_THAT(not_kept,
              ElementsAre(Pair("duration_ms of what was skipped", 2), Pair("parameter of what did not fail", 2),
                          Pair("shuffle_seed of what was not shuffled", 1), Pair("shuffled without shuffle_seed", 2)));
}

TEST_F(ResultsTest, EqualNamesInTwoProgramsAreTwoTests) {
  const RunRecord record = OneRecord(Results(R"({"name":"A.B","outcome":"passed","program":"one_test"},)"
                                             R"({"name":"A.B","outcome":"failed","program":"two_test"})"));
  EXPECT_EQ(record.run.account.total_tests, 2);
  EXPECT_EQ(record.run.account.failed_tests, 1);
  EXPECT_EQ(record.failures[0].attempt, 0) << "not a second attempt";
  EXPECT_EQ(record.failures[0].program, "two_test");
  EXPECT_EQ(record.failures[0].error_stack, std::nullopt);
  const PartTests tests = TestsOf(record.parts[0], record.rosters);
  EXPECT_THAT(tests, ElementsAre(Pair("one_test", ElementsAre(Pair("A.B", PartTest{{1, 0}, {}}))),
                                 Pair("two_test", ElementsAre(Pair("A.B", PartTest{{1, 0}, {}})))));
}

TEST_F(ResultsTest, ATestHasTheMeanDurationOfItsExecutions) {
  const RunRecord record = OneRecord(Results(R"({"name":"A.B","outcome":"passed","duration_ms":0.002},)"
                                             R"({"name":"A.B","outcome":"failed","duration_ms":0.004},)"
                                             R"({"name":"A.B","outcome":"passed"},)"
                                             R"({"name":"A.C","outcome":"passed"})"));
  const PartTests tests = TestsOf(record.parts[0], record.rosters);
  EXPECT_EQ(tests.at("").at("A.B"), (PartTest{{3, 0}, 3}));
  EXPECT_EQ(tests.at("").at("A.C").duration_us, std::nullopt);
}

// What comes out of a history goes in again unchanged.
TEST_F(ResultsTest, LinesSurviveTheHistory) {
  const std::vector<std::string> lines = {
      Line("r", R"(,"part_id":"p","ended_at":"2026-01-01T00:00:09.123Z","passed":["A.B","A.C"],"skipped":["A.D"])"),
      Line("r", R"(,"part_id":"p","ended_at":"2026-01-01T00:00:09Z","interrupted":"SIGTERM")"),
      Line("r", R"(,"part_id":"p","ended_at":"2026-01-01T00:00:09Z","interrupted":"unrecorded: no space")"),
      Line("r", R"(,"part_id":"p","ended_at":"2026-01-01T00:00:09Z","results":[)"
                R"({"name":"A.B","outcome":"failed","file":"a.cc","message":"m","at":"2026-01-01T00:00:01Z"},)"
                R"({"name":"A.B","outcome":"passed"},)"
                R"({"name":"A.B","outcome":"crashed","file":"a.cc","signal":"SIGABRT","at":"2026-01-01T00:00:02Z"},)"
                R"({"name":"Suite","outcome":"failed","file":"s.cc","at":"2026-01-01T00:00:03Z"},)"
                R"({"name":"Suite","outcome":"failed","file":"s.cc","at":"2026-01-01T00:00:04Z"}])"),
      Line("r", R"(,"part_id":"p","ended_at":"2026-01-01T00:00:09Z","commit_time":"2025-12-31T00:00:00Z",)"
                R"("host":"ci-7","program":"t","shuffled":true,"shuffle_seed":7,"passed":["A.A"],"results":[)"
                R"({"name":"A.B","outcome":"failed","parameter":"3","duration_ms":2,"at":"2026-01-01T00:00:01Z"},)"
                R"({"name":"A.C","outcome":"passed","duration_ms":0.384},)"
                R"({"name":"t","outcome":"crashed","at":"2026-01-01T00:00:02Z","shuffle_seed":8}])"),
      Line("r", R"(,"part_id":"p","ended_at":"2026-01-01T00:00:09Z","results":[)"
                R"({"name":"A.B","outcome":"passed","program":"one_test"},)"
                R"({"name":"A.B","outcome":"failed","program":"two_test","at":"2026-01-01T00:00:01Z"},)"
                R"({"name":"two.test","outcome":"crashed","file":"[two.test]","program":"two.test",)"
                R"("at":"2026-01-01T00:00:02Z"}])"),
      Line("r", R"(,"part_id":"p","ended_at":"2026-01-01T00:00:09Z","program":"t","interrupted":"SIGINT")"),
  };
  for (const std::string& text : lines) {
    const ResultsLine line = OneLine(text);
    LeftOutCounts not_kept, left_out;
    const RunRecord record = RecordOf(line, not_kept);
    EXPECT_THAT(LinesOf(record, left_out), ElementsAre(line)) << text;
    EXPECT_THAT(not_kept, IsEmpty());
    EXPECT_THAT(left_out, IsEmpty());
  }
}

// Durations are rounded in the history, and then they stay the same.
TEST_F(ResultsTest, DurationsSurviveASecondJourney) {
  const auto result = [](const char* name, const char* outcome, double millis) {
    return std::string(R"({"name":")") + name + R"(","at":"2026-01-01T00:00:01Z","outcome":")" + outcome +
           R"(","duration_ms":)" + std::to_string(millis) + "}";
  };
  for (const double millis : {0.0, 0.0004, 0.001, 0.4, 1.499, 12.7, 105.0, 4321.0}) {
    const ResultsLine line =
        OneLine(Line("r", ",\"part_id\":\"p\",\"results\":[" + result("A.B", "passed", millis) + "," +
                              result("A.B", "failed", millis / 3) + "," + result("A.B", "passed", millis * 2) + "," +
                              result("A.C", "failed", millis) + "," + result("A.D", "failed", millis) + "," +
                              result("A.D", "crashed", millis * 1.1) + "," + result("A.E", "failed", millis * 9) + "," +
                              result("A.E", "passed", 0) + "]"));
    LeftOutCounts ignored;
    const RunRecord record = RecordOf(line, ignored);
    const std::vector<ResultsLine> lines = LinesOf(record, ignored);
    ASSERT_THAT(lines, SizeIs(1));
    const RunRecord again = RecordOf(lines[0], ignored);
    EXPECT_EQ(again.parts[0].durations, record.parts[0].durations) << millis;
    EXPECT_EQ(DigestOf(again), DigestOf(record)) << millis;
  }
}

TEST_F(ResultsTest, WhatTheFormatCannotHoldIsCounted) {
  LeftOutCounts left_out;
  RunRecord running = BuildRecord("r").Part("p", 0).Build();
  running.parts[0].account.ended_at.reset();
  EXPECT_THAT(LinesOf(running, left_out), IsEmpty());
  EXPECT_THAT(left_out, ElementsAre(Pair("parts that have not ended", 1)));

  left_out.clear();
  const RunRecord npm = BuildRecord("npm").Ended(At(9), 1).Fail("S.T").Build();
  const std::vector<ResultsLine> lines = LinesOf(npm, left_out);
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0].part_id, std::nullopt);
  EXPECT_THAT(lines[0].results, SizeIs(1));
  EXPECT_THAT(left_out, ElementsAre(Pair("which tests passed, of runs of another tool", 1)));

  left_out.clear();
  EXPECT_THAT(LinesOf(BuildRecord("bare").Build(), left_out), IsEmpty());
  EXPECT_THAT(left_out, ElementsAre(Pair("runs that have not ended", 1)));

  left_out.clear();
  RunRecord repeated = BuildRecord("r").Part("p", 0).Build();
  GiveTests(repeated, {{"A.B", {1'000'000, 0}}});
  EXPECT_THAT(LinesOf(repeated, left_out).at(0).results, SizeIs(1000));
  EXPECT_THAT(left_out, ElementsAre(Pair("executions of a test beyond the first 1,000 of a part", 999'000)));

  left_out.clear();
  RunRecord rank = BuildRecord("r").Part("p", 0).Build();
  rank.run.merge_base = "abc";
  rank.run.edited_tree = "def";
  rank.parts[0].rank = 3;
  rank.parts[0].planned_tests = 9;
  LinesOf(rank, left_out);
  EXPECT_THAT(left_out,
              ElementsAre(Pair("how many tests of a part have no result", 1), Pair("the merge base of a run", 1),
                          Pair("the tree of a run with edits that were not committed", 1),
                          Pair("which process of an MPI program a part is", 1)));
}

// The failures of one attempt are one result.
TEST_F(ResultsTest, AnAttemptHasTheMessagesOfAllItsFailures) {
  RunRecord record = BuildRecord("r").Part("p", 0, 1).Fail("Suite.Test", "one", 1).Fail("Suite.Test", "two", 2).Build();
  record.failures[0].attempt = record.failures[1].attempt = 0;
  LeftOutCounts left_out;
  const std::vector<ResultsLine> lines = LinesOf(record, left_out);
  ASSERT_THAT(lines.at(0).results, SizeIs(1));
  EXPECT_EQ(lines[0].results[0].message, "one\ntwo");
  EXPECT_THAT(lines[0].passed, ElementsAre("Suite.Other"));
  EXPECT_EQ(lines[0].program, "suite_test");
  EXPECT_THAT(left_out, IsEmpty());
}

}  // namespace
}  // namespace flaky
