// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include "tests/cli/judged_fixture.h"

namespace flaky {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

class TestsTest : public JudgedProgramTest {
 protected:
  // Returns the element of a test in the JSON of `tests`.
  static json Of(const json& output, const std::string& test) {
    for (const json& element : output["tests"]) {
      if (element["test_name"] == test) return element;
    }
    return {};
  }
};

TEST_F(TestsTest, ListsTheTestsThatAreNotHealthy) {
  Keep(OneFlakyOneBroken());
  const Outcome outcome = Judge({"tests"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, StartsWith("project demo: 66 runs from 2026-01-01 to 2026-01-30, 20 tests: 1 broken, 1 "
                                      "flaky\n\nVERDICT  TEST"));
  EXPECT_THAT(outcome.out, ContainsRegex("broken   Suite1.T7 +7 of 66 .*2026-01-30  2026-01-28 c0370000\n"));
  EXPECT_THAT(outcome.out, ContainsRegex("flaky    Suite0.T3 +6 of 66 +[0-9.]+ %  [0-9.]+ to [0-9.]+ % +5 "));
  EXPECT_THAT(Lines(outcome.out), SizeIs(5)) << outcome.out;
}

TEST_F(TestsTest, AllListsHealthyTestsToo) {
  Keep(OneFlakyOneBroken());
  const Outcome outcome = Judge({"tests", "--all"});
  EXPECT_THAT(outcome.out, ContainsRegex("healthy  Suite0.T0 +0 of 66\n"));
  EXPECT_THAT(JsonOf({"tests", "--all"})["tests"], SizeIs(20));
  EXPECT_THAT(JsonOf({"tests", "--verdict", "healthy"})["tests"], SizeIs(18));
}

TEST_F(TestsTest, ATestThatWasExecutedRarelyIsNewUnlessItIsFlaky) {
  Keep({Ran({.day = 1, .commit = "11", .failed = {kFlaky}}), Ran({.day = 2, .commit = "11"})});
  const json output = JsonOf({"tests", "--all"});
  EXPECT_EQ(Of(output, kFlaky)["verdict"], "flaky") << "it failed and passed on the same code";
  EXPECT_GT(Of(output, kFlaky)["rate"]["high"], 0.8) << "little is known of its rate";
  EXPECT_EQ(Of(output, Name(0))["verdict"], "new");
  EXPECT_EQ(Of(output, Name(0))["executions"], 2);
}

TEST_F(TestsTest, AGlobAndVerdictsSelect) {
  Keep(OneFlakyOneBroken());
  EXPECT_THAT(Judge({"tests", "Suite0.*"}).out, AllOf(HasSubstr(kFlaky), Not(HasSubstr(kBroken))));
  EXPECT_THAT(Judge({"tests", "--verdict", "broken"}).out, AllOf(HasSubstr(kBroken), Not(HasSubstr(kFlaky))));
  EXPECT_THAT(Judge({"tests", "--verdict", "broken", "--verdict", "flaky"}).out,
              AllOf(HasSubstr(kBroken), HasSubstr(kFlaky)));
  const Outcome healthy = Judge({"tests", "Suite2.*"});
  EXPECT_EQ(healthy.code, 0);
  EXPECT_THAT(healthy.out, HasSubstr("\nevery test is healthy among those that match\n"));
  EXPECT_THAT(Judge({"tests", "--verdict", "suspect"}).out, HasSubstr("\nno test has such a verdict\n"));
  EXPECT_EQ(Judge({"tests", "--verdict", "bad"}).code, 2);
}

TEST_F(TestsTest, AnUnknownTestIsSaidToBeUnknown) {
  Keep(OneFlakyOneBroken());
  const Outcome outcome = Judge({"tests", "Suite0.T33"});
  EXPECT_EQ(outcome.code, 6);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("unknown test `Suite0.T33`: no test of that name was executed in 66 runs since "));
  EXPECT_THAT(outcome.err, HasSubstr("; did you mean `Suite0.T3`?\n"));
}

TEST_F(TestsTest, JsonHasTheFormOfTheYardstick) {
  Keep(OneFlakyOneBroken());
  const json output = JsonOf({"tests"});
  EXPECT_EQ(output["format"], 1);
  EXPECT_EQ(output["project"], "demo");
  EXPECT_EQ(output["at"], "2026-01-31T00:00:00.000Z");
  EXPECT_EQ(output["since"], "2025-11-02T00:00:00.000Z");
  EXPECT_EQ(output["default_branch"], "main");
  EXPECT_EQ(output["runs"], 66);
  EXPECT_EQ(output["tests_seen"], 20);
  const json flaky = Of(output, kFlaky), broken = Of(output, kBroken);
  EXPECT_EQ(flaky["verdict"], "flaky");
  EXPECT_EQ(flaky["test_file"], "tests/suite_test.cc");
  EXPECT_GT(flaky["p_flaky"], 0.9);
  EXPECT_LT(flaky["rate"]["low"], 6.0 / 66);
  EXPECT_GT(flaky["rate"]["high"], 6.0 / 66);
  EXPECT_EQ(flaky["failures"], 6);
  EXPECT_EQ(flaky["executions"], 66);
  EXPECT_EQ(flaky["cost"], 5) << "kBroken failed in the sixth run, too";
  EXPECT_GT(flaky["passes_missing_until_fixed"], 0);
  EXPECT_THAT(flaky["blame"], SizeIs(6));
  EXPECT_EQ(flaky["blame"][0]["code"], "7e12" + std::string(36, '0'));
  EXPECT_LT(flaky["blame"][0]["p_broken"], 0.05);
  EXPECT_EQ(broken["verdict"], "broken");
  EXPECT_EQ(broken["rate"], json());
  EXPECT_EQ(broken["since"], "2026-01-28T00:00:00.000Z");
  EXPECT_EQ(broken["since_commit"], "c037" + std::string(36, '0'));
  ASSERT_THAT(broken["blame"], SizeIs(3));
  for (const json& code : broken["blame"]) EXPECT_GT(code["p_broken"], 0.9) << code;
}

TEST_F(TestsTest, FiltersAndTimesSelectTheRuns) {
  std::vector<RunRecord> records = OneFlakyOneBroken();
  Keep(records);
  EXPECT_EQ(JsonOf({"tests", "--variant", "asan"})["parts"], 30);
  EXPECT_EQ(JsonOf({"tests", "--commit", "c012"})["runs"], 3);
  EXPECT_EQ(JsonOf({"tests", "--since", "2026-01-15"})["runs"], 35);
  const Outcome before = Run({"tests", "--at", "2026-01-27"});
  EXPECT_THAT(before.out, AllOf(HasSubstr(kFlaky), Not(HasSubstr(kBroken))));
  const Outcome other = Judge({"tests", "--branch", "other"});
  EXPECT_EQ(other.code, 6);
  EXPECT_THAT(other.err, HasSubstr("and matches --branch; there are 66 runs\n"));
}

TEST_F(TestsTest, WithoutRunsThereIsNothingToJudge) {
  Keep({BuildRecord("r").Project("other").Ended(At(5)).Build()});
  const Outcome outcome = Judge({"tests"});
  EXPECT_EQ(outcome.code, 6);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("no run of project demo"));
  const json output = JsonOf({"tests"});
  EXPECT_THAT(output["tests"], IsEmpty());
  EXPECT_EQ(output["projects"][0]["project"], "other");
}

TEST_F(TestsTest, RunsWithoutTestsAreNothingToJudge) {
  RunRecord record = BuildRecord("r").Project("demo").Ended(At(5)).Build();
  record.run.account.total_tests = record.run.account.passed_tests = 0;
  Keep({record});
  const Outcome outcome = Judge({"tests"});
  EXPECT_EQ(outcome.code, 6);
  EXPECT_THAT(outcome.err, HasSubstr("none of 1 run of project demo since 2025-11-02 00:00:00 UTC executed a test\n"));
}

TEST_F(TestsTest, SaysWhatIsNotJudged) {
  std::vector<RunRecord> records = OneFlakyOneBroken();
  // The npm packages write runs without parts.
  records.push_back(BuildRecord("npm").Project("demo").StartedAt(At(86'400)).Ended(At(86'405), 1).Fail("adds").Build());
  records.push_back(
      BuildRecord("outside").Project("demo").StartedAt(At(86'400)).Ended(At(86'405), 1).Fail("sh").Build());
  records.back().failures[0].test_file = "[sh]";
  JudgedRunWords outage{.day = 10.4, .commit = "20"};
  for (int i = 0; i < 18; ++i) outage.failed.push_back(Name(i));
  records.push_back(Ran(outage));
  Keep(records);
  EXPECT_THAT(Judge({"tests"}).out,
              AllOf(HasSubstr("\n2 runs do not say which tests passed, so little can be said about their tests\n"),
                    HasSubstr("\n1 failure outside of tests is not judged\n"),
                    HasSubstr("\n1 part failed many tests at once because of its machine, so these failures count "
                              "little\n")));
  const json output = JsonOf({"tests", "--all"});
  ASSERT_THAT(output["infrastructure"], SizeIs(1));
  EXPECT_EQ(output["infrastructure"][0]["failed_tests"], 18);
  EXPECT_EQ(Of(output, Name(1))["verdict"], "healthy") << "it failed in the outage only";
  EXPECT_EQ(output["failures_outside_tests"], 1);
  EXPECT_EQ(Of(output, "adds")["test_file"], "tests/suite_test.cc");
}

TEST_F(TestsTest, TheProjectsFileChangesTheModel) {
  Keep(OneFlakyOneBroken());
  WriteFile("work/.flaky.toml", "[judge]\nnew_below = 1000\n");
  EXPECT_EQ(Of(JsonOf({"tests", "--all"}), Name(0))["verdict"], "new");
  EXPECT_THAT(Run({"config"}).out, ContainsRegex("judge.new_below +1000 +.*/.flaky.toml:2\n"));
  WriteFile("work/.flaky.toml", "[judge]\nflaky_at = 2\n");
  Outcome outcome = Judge({"tests"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err,
            "flaky: " + Path("work/.flaky.toml") + ":2: invalid flaky_at 2; expected a number from 0.01 to 0.99\n");
  EXPECT_EQ(Run({"config"}).code, 2);
  WriteFile("work/.flaky.toml", "[judge]\nflakyat = 0.5\n");
  outcome = Judge({"tests"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr(":2: invalid constant 'flakyat'; expected a name of the model\n"));
  WriteFile("work/.flaky.toml", "[judge]\nflaky_at = 'high'\n");
  EXPECT_THAT(Judge({"tests"}).err, HasSubstr(":2: `flaky_at` in [judge] must be a number\n"));
}

TEST_F(TestsTest, TheDefaultBranchIsASetting) {
  std::vector<RunRecord> records = OneFlakyOneBroken();
  for (RunRecord& record : records) record.run.branch = "stable";
  records.push_back(Ran({.day = 1, .commit = "99", .branch = "main"}));
  Keep(records);
  EXPECT_EQ(JsonOf({"tests"})["default_branch"], "main");
  Set("FLAKY_TESTS_DEFAULT_BRANCH", "stable");
  const json output = JsonOf({"tests"});
  EXPECT_EQ(output["default_branch"], "stable");
  EXPECT_EQ(Of(output, kBroken)["verdict"], "broken");
}

}  // namespace
}  // namespace flaky
