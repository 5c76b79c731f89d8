// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "history/roster.h"
#include "tests/cli/program_fixture.h"

namespace flaky {
namespace {

using testing::HasSubstr;
using testing::Not;

class ShowTest : public ProgramTest {};

RunRecord Detailed() {
  RunRecord record =
      BuildRecord("1f0c93ab7d20446b8f5e1c0d9a3b2e71").Project("demo").Part("part-one-of-two", 0, 1).Build();
  record.run.git_sha = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
  record.run.git_dirty = true;
  record.run.branch = "main";
  record.run.runtime_version = "GCC 12.2.0, Linux 6.1.0 x86_64";
  record.run.test_args = "--gtest_shuffle";
  record.parts[0].variant = "asan";
  record.parts[0].shard = "1/2";
  Failure failure;
  failure.part_id = "part-one-of-two";
  failure.test_file = "tests/queue_test.cc";
  failure.line = 41;
  failure.test_name = "QueueTest.Pops";
  failure.failure_kind = "assertion";
  failure.error_message = "Expected equality of these values:\n  queue.size()\n    Which is: 1\n  0";
  failure.duration_ms = 12;
  failure.failed_at = At(3);
  failure.attempt = 1;
  failure.preceding_test = "QueueTest.Pushes";
  failure.shuffle_seed = 77;
  record.failures.push_back(failure);
  return record;
}

TEST_F(ShowTest, ShowsTheRunItsPartsAndItsFailures) {
  Keep({Detailed()});
  const Outcome outcome = Run({"show", "latest"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out, R"(run         1f0c93ab7d20446b8f5e1c0d9a3b2e71
project     demo
status      fail
tests       2 (1 passed, 1 failed)
started     2026-01-01 00:00:00 UTC
ended       2026-01-01 00:00:10 UTC
duration    10.00 s
commit      4b825dc642cb6eb9a060e54bf8d69288fbee4904, files differed from it
branch      main
runtime     GCC 12.2.0, Linux 6.1.0 x86_64
arguments   --gtest_shuffle

parts (1)
PART       STARTED (UTC)        VARIANT  SHARD  STATUS  TESTS  FAILED  ERRORS  DURATION
part-one…  2026-01-01 00:00:00  asan     1/2    fail        2       1       0   10.00 s

failures (1)
QueueTest.Pops  tests/queue_test.cc:41
  assertion, 2026-01-01 00:00:03 UTC, attempt 2, after 12 ms, after QueueTest.Pushes, shuffled with seed 77
  fault of the code (95 %); new, failed 1 of 1
    Expected equality of these values:
      queue.size()
        Which is: 1
      0
)");
}

TEST_F(ShowTest, AnotherToolsRunHasNoParts) {
  Keep({BuildRecord("r").Project("demo").Ended(At(5)).Fail("outer > inner > name", "boom").Build()});
  const Outcome outcome = Run({"show", "r"});
  EXPECT_THAT(outcome.out, Not(HasSubstr("parts")));
  EXPECT_THAT(outcome.out, HasSubstr("outer > inner > name  tests/suite_test.cc\n"));
}

TEST_F(ShowTest, FindsARunByAUniquePrefix) {
  Keep({BuildRecord("abc1").Project("demo").Build(), BuildRecord("abd2").Project("other").Build()});
  EXPECT_THAT(Run({"show", "abc"}).out, HasSubstr("run         abc1\n"));
  EXPECT_THAT(Run({"show", "abd"}).out, HasSubstr("run         abd2\n")) << "from any project";
  EXPECT_THAT(Run({"show", "abd2"}).out, HasSubstr("run         abd2\n"));
}

TEST_F(ShowTest, AFullIdWinsOverAPrefix) {
  Keep({BuildRecord("ci-1").Project("demo").Build(), BuildRecord("ci-10").Project("demo").Build()});
  EXPECT_THAT(Run({"show", "ci-1"}).out, HasSubstr("run         ci-1\n"));
}

TEST_F(ShowTest, AnAmbiguousPrefixListsTheCandidates) {
  Keep({BuildRecord("abc1").Build(), BuildRecord("abd2").Build()});
  const Outcome outcome = Run({"show", "ab"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "flaky: `ab` matches several runs: abc1, abd2\n");
}

TEST_F(ShowTest, ListsAtMostTenCandidates) {
  std::vector<RunRecord> records;
  for (int i = 10; i < 30; ++i) records.push_back(BuildRecord("r" + std::to_string(i)).Build());
  Keep(records);
  EXPECT_EQ(Run({"show", "r"}).err,
            "flaky: `r` matches several runs: r10, r11, r12, r13, r14, r15, r16, r17, r18, r19, …\n");
}

TEST_F(ShowTest, AnUnknownIdIsAClearError) {
  Keep({BuildRecord("abc1").Build()});
  for (const std::string id : {"zzz", "%", "abc1x", "' OR 1=1 --", "ABC1"}) {
    const Outcome outcome = Run({"show", id});
    EXPECT_EQ(outcome.code, 2) << id;
    EXPECT_THAT(outcome.err, HasSubstr("flaky: `" + id +
                                       "` is neither a run, nor a commit, nor a test that was executed in sqlite:" +
                                       Path("h.db") + " since "));
    EXPECT_THAT(outcome.err, HasSubstr(" (flaky runs --all lists the runs, flaky tests --all the tests)\n"));
  }
  EXPECT_EQ(Run({"show", ""}).code, 2);
}

TEST_F(ShowTest, LatestIsTheNewestOfTheProject) {
  Keep({BuildRecord("old").StartedAt(At(0)).Project("demo").Build(),
        BuildRecord("new").StartedAt(At(9)).Project("demo").Build(),
        BuildRecord("foreign").StartedAt(At(99)).Project("other").Build()});
  EXPECT_THAT(Run({"show", "latest"}).out, HasSubstr("run         new\n"));
  EXPECT_THAT(Run({"show", "latest", "--all"}).out, HasSubstr("run         foreign\n"));
  EXPECT_THAT(Run({"show", "latest", "--project", "other"}).out, HasSubstr("run         foreign\n"));
  const Outcome none = Run({"show", "latest", "--project", "absent"});
  EXPECT_EQ(none.code, 6);
  EXPECT_EQ(none.err, "flaky: no run of project absent in sqlite:" + Path("h.db") +
                          "; the projects are demo (2 runs), other (1): --project NAME selects one, --all every "
                          "project\n");
}

TEST_F(ShowTest, FiltersSelectTheLatestRunAndItsParts) {
  RunRecord both = BuildRecord("both").Project("demo").Part("asan-1", 0, 1).Fail("A.A").Part("release-1", 5).Build();
  both.parts[0].variant = "asan";
  both.parts[1].variant = "release";
  RunRecord release = BuildRecord("later").Project("demo").Part("p", 99).Build();
  release.parts[0].variant = "release";
  Keep({both, release});
  const Outcome asan = Run({"show", "latest", "--variant", "a?an"});
  EXPECT_EQ(asan.code, 0);
  EXPECT_THAT(asan.out, HasSubstr("run         both\n"));
  EXPECT_THAT(asan.out, HasSubstr("parts (1)"));
  EXPECT_THAT(asan.out, HasSubstr("failures (1)"));
  const auto json = nlohmann::json::parse(Run({"show", "both", "--part", "release", "--json"}).out);
  EXPECT_EQ(json["parts"].size(), 1U);
  EXPECT_EQ(json["run"]["status"], "pass");
  EXPECT_EQ(json["failures"].size(), 0U);
  const Outcome none = Run({"show", "later", "--variant", "asan"});
  EXPECT_EQ(none.code, 6);
  EXPECT_EQ(none.err, "flaky: run later has nothing that matches --variant\n");
}

TEST_F(ShowTest, FailuresOutsideOfTestsAreApart) {
  RunRecord record = BuildRecord("r").Project("demo").Part("p", 0, 1).Fail("A.A").Fail("ctest").Fail("Suite").Build();
  record.failures[1].test_file = "[ctest]";
  Keep({record});
  const std::string out = Run({"show", "r"}).out;
  EXPECT_THAT(out, HasSubstr("\nfailures (1)\nA.A  "));
  EXPECT_THAT(out, HasSubstr("\nfailures outside of tests (2)\n"));
  const auto json = nlohmann::json::parse(Run({"show", "r", "--json"}).out);
  for (const auto& failure : json["failures"]) EXPECT_EQ(failure["outside_tests"], failure["test_name"] != "A.A");
}

TEST_F(ShowTest, JsonIsTheWholeRecord) {
  const RunRecord record = Detailed();
  Keep({record});
  const auto json = nlohmann::json::parse(Run({"show", "latest", "--json"}).out);
  EXPECT_EQ(json["format"], 1);
  EXPECT_EQ(json["run"]["run_id"], record.run.run_id);
  EXPECT_EQ(json["run"]["failed_tests"], 1);
  ASSERT_EQ(json["parts"].size(), 1U);
  EXPECT_EQ(json["parts"][0]["shard"], "1/2");
  EXPECT_EQ(json["parts"][0]["tests"], nlohmann::json::parse(R"({"suite_test":{"Suite.Other":{"executed":1,"skipped":0},
                                                                           "Suite.Test":{"executed":1,"skipped":0}}})"));
  ASSERT_EQ(json["failures"].size(), 1U);
  EXPECT_EQ(json["failures"][0]["error_message"], *record.failures[0].error_message);
  EXPECT_EQ(json["failures"][0]["line"], 41);
  EXPECT_EQ(json["failures"][0]["signal"], nullptr);
}

TEST_F(ShowTest, HostileTextCannotTouchTheTerminal) {
  RunRecord record = Detailed();
  record.failures[0].test_name = "Suite.\x1b[31mTest\r";
  record.failures[0].error_message = "one\ntwo\x1b]52;c;Zm9v\x07\tthree\r\n";
  record.failures[0].error_stack = "\u202estack";
  record.run.test_args = "a\nb";
  Keep({record});
  const Outcome outcome = Run({"show", "latest"});
  EXPECT_EQ(outcome.out.find_first_of("\x1b\x07\r\t"), std::string::npos);
  EXPECT_THAT(outcome.out, HasSubstr("arguments   a\\nb\n"));
  EXPECT_THAT(outcome.out, HasSubstr("    one\n    two\\x1b]52;c;Zm9v\\x07\\tthree\\r\n    \\u202estack\n"));
}

}  // namespace
}  // namespace flaky
