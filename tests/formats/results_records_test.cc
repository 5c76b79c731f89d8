// SPDX-License-Identifier: MIT
#include "history/roster.h"
#include "tests/formats/results_fixture.h"

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
  ASSERT_THAT(record.parts, SizeIs(1));
  const Part& part = record.parts[0];
  EXPECT_EQ(part.variant, "asan");
  EXPECT_EQ(part.shard, "1/2");
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
  ASSERT_THAT(record.rosters, SizeIs(1));
  EXPECT_THAT(
      ParseRoster(record.rosters[0]->tests),
      ElementsAre(Pair("A.B", RosterEntry{1, 0}), Pair("A.C", RosterEntry{1, 0}), Pair("A.D", RosterEntry{0, 1}),
                  Pair("A.E", RosterEntry{2, 0}), Pair("A.F", RosterEntry{0, 1})));
}

TEST_F(ResultsTest, AFailureKeepsItsDetailsAndItsAttempt) {
  const RunRecord record = OneRecord(Line(
      "r", R"(,"part_id":"p","shuffle_seed":7,"results":[{"name":"A.B","outcome":"passed"},)"
           R"({"name":"A.B","outcome":"failed","file":"b.cc","line":12,"duration_ms":1.5,"message":"m","stack":"s",)"
           R"("at":"2026-01-01T00:00:03Z","preceding_test":"A.A","shuffle_seed":8},)"
           R"({"name":"A.B","outcome":"crashed","signal":"SIGSEGV"},{"name":"A.B","outcome":"timeout"}])"));
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
  EXPECT_EQ(record.failures[0], expected);
  EXPECT_EQ(record.failures[1].failure_kind, kUncaught);
  EXPECT_EQ(record.failures[1].signal, "SIGSEGV");
  EXPECT_EQ(record.failures[1].attempt, 2);
  EXPECT_EQ(record.failures[1].shuffle_seed, 7) << "of the line";
  EXPECT_EQ(record.failures[1].failed_at, At(0)) << "no other time is known";
  EXPECT_EQ(record.failures[2].failure_kind, kTimeout);
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
  EXPECT_EQ(record.failures[1].test_file, "suite_test.cc");
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
  const ResultsLine line = OneLine(
      Line("r", R"(,"host":"ci-7","commit_time":"2026-01-01T00:00:00Z","shuffled":true,"shuffle_seed":7,"program":"t",)"
                R"("results":[{"name":"A.B","outcome":"passed","duration_ms":3,"parameter":"1"}])"));
  for (int i = 0; i < 2; ++i) RecordOf(line, not_kept);
  EXPECT_THAT(not_kept,
              ElementsAre(Pair("commit_time", 2), Pair("duration_ms of what did not fail", 2), Pair("host", 2),
                          Pair("parameter", 2), Pair("program", 2), Pair("shuffle_seed", 2), Pair("shuffled", 2)));
}

TEST_F(ResultsTest, EqualNamesInTwoProgramsAreTwoTests) {
  const RunRecord record = OneRecord(Results(R"({"name":"A.B","outcome":"passed","program":"one_test"},)"
                                             R"({"name":"A.B","outcome":"failed","program":"two_test"})"));
  EXPECT_EQ(record.run.account.total_tests, 2);
  EXPECT_EQ(record.run.account.failed_tests, 1);
  EXPECT_EQ(record.failures[0].attempt, 0) << "not a second attempt";
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
  repeated.rosters = {MakeRoster({{"A.B", {1'000'000, 0}}})};
  repeated.parts[0].roster_id = repeated.rosters[0]->roster_id;
  EXPECT_THAT(LinesOf(repeated, left_out).at(0).results, SizeIs(1000));
  EXPECT_THAT(left_out, ElementsAre(Pair("executions of a test beyond the first 1,000 of a part", 999'000)));
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
  EXPECT_THAT(left_out, IsEmpty());
}

}  // namespace
}  // namespace flaky
