// SPDX-License-Identifier: MIT

// What Bazel's retries, runs and shards come to in the history, with Bazel's folders and environment but without Bazel.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "history/time.h"
#include "tests/cli/program_fixture.h"
#include "tests/support/bazel_stage.h"
#include "tests/support/journal_text.h"

namespace flaky {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr char kSlowSeed[] = "2";  // with which PriceService.AnswersInTime fails

class BazelRunsTest : public ProgramTest {
 protected:
  BazelRunsTest() : stage_(Path("bazel"), FLAKY_EXAMPLE) { Set("FLAKY_TESTS_SPOOL", Path("spool")); }

  // One attempt, as Bazel starts it; its exit status. Of the user's environment it gets what --test_env names.
  int Attempt(const BazelTest& test, const std::string& seed, const std::string& test_env = "") const {
    std::string command = "env -i PATH=/usr/bin:/bin FLAKY_RUN_PROCESS=$FLAKY_RUN_PROCESS FLAKY_TESTS_SPOOL='" +
                          Path("spool") + "' BASKET_SEED=" + seed + ' ' + test_env;
    for (const auto& [name, value] : stage_.Environment(test)) command += " '" + name + '=' + value + "'";
    command += " '" + stage_.test_setup() + "' > '" + Path("log") + "' 2>&1";
    const int status = std::system(command.c_str());
    EXPECT_TRUE(WIFEXITED(status));
    return WEXITSTATUS(status);
  }
  static json RunsOf(const std::string& text) { return json::parse(text)["runs"]; }
  static json Runs() { return RunsOf(Run({"runs", "--all", "--json"}).out); }
  static json Show(const std::string& run) { return json::parse(Run({"show", run, "--all", "--json"}).out); }

  BazelStage stage_;
};

TEST_F(BazelRunsTest, EveryAttemptIsInTheRunThatShowsTheTestAsFlaky) {
  const BazelTest test;
  EXPECT_EQ(Attempt(test, kSlowSeed), 1);
  EXPECT_EQ(Attempt(test, kSlowSeed), 1);
  EXPECT_EQ(Run({"deliver"}).code, 0) << "a user runs flaky while Bazel retries";
  EXPECT_EQ(Attempt(test, "1"), 0);

  ASSERT_THAT(Runs(), SizeIs(1));
  const json run = Show("latest");
  EXPECT_EQ(run["run"]["status"], "fail");
  ASSERT_THAT(run["parts"], SizeIs(3));
  std::vector<std::string> attempts;
  for (const json& part : run["parts"]) {
    attempts.push_back(part["status"]);
    EXPECT_EQ(part["tests"].begin().value()["PriceService.AnswersInTime"]["executed"], 1);
  }
  EXPECT_THAT(attempts, ElementsAre("fail", "fail", "pass"));
  ASSERT_THAT(run["failures"], SizeIs(2));
  for (const json& failure : run["failures"]) EXPECT_EQ(failure["test_name"], "PriceService.AnswersInTime");
}

TEST_F(BazelRunsTest, TwoCommandsAreTwoRuns) {
  EXPECT_EQ(Attempt({}, kSlowSeed), 1);
  stage_.BeginCommand();
  EXPECT_EQ(Attempt({}, "1"), 0);
  const json runs = Runs();
  ASSERT_THAT(runs, SizeIs(2));
  EXPECT_THAT((std::vector<std::string>{runs[0]["status"], runs[1]["status"]}), UnorderedElementsAre("pass", "fail"));
}

TEST_F(BazelRunsTest, TargetsRunsAndShardsOfOneCommandAreOneRun) {
  for (const int number : {1, 2}) {
    for (const int shard : {0, 1}) {
      EXPECT_EQ(Attempt({.target = "//shop:sharded_test", .run_number = number, .shard = shard}, "1"), 0);
    }
  }
  EXPECT_EQ(Attempt({.target = "//shop:other_test"}, "1"), 0);
  ASSERT_THAT(Runs(), SizeIs(1));
  const json run = Show("latest");
  std::vector<json> shards;
  for (const json& part : run["parts"]) shards.push_back(part["shard"]);
  EXPECT_THAT(shards, UnorderedElementsAre("0/2", "1/2", "0/2", "1/2", nullptr));
  EXPECT_EQ(run["run"]["total_tests"], 15) << "five tests, three times";
}

TEST_F(BazelRunsTest, ARunIdOfTheUsersJoinsCommands) {
  EXPECT_EQ(Attempt({}, "1", "FLAKY_TESTS_RUN_ID=build-7"), 0);
  stage_.BeginCommand();
  EXPECT_EQ(Attempt({}, "1", "FLAKY_TESTS_RUN_ID=build-7"), 0);
  ASSERT_THAT(Runs(), SizeIs(1));
  EXPECT_THAT(Show("build-7")["parts"], SizeIs(2));
}

TEST_F(BazelRunsTest, JournalsNextToTheOutputsAreDeliveredFromThere) {
  EXPECT_EQ(Attempt({}, kSlowSeed, "FLAKY_TESTS_SPOOL="), 1);
  EXPECT_THAT(Content(Path("log")), HasSubstr("recorded in test.outputs of //shop:shop_test instead"));
  EXPECT_THAT(Run({"deliver"}).out, HasSubstr("nothing to deliver"));
  Set("FLAKY_TESTS_SPOOL", stage_.outputs() / "flaky");
  EXPECT_THAT(Run({"deliver"}).out, HasSubstr("delivered 1 run (1 part)"));
}

// The working folder of such a test is part of the build's output, and no repository; but the execroot has links to the
// sources.
TEST_F(BazelRunsTest, ProjectAndCommitAreThoseOfTheSources) {
  WriteFile("sources/shop/shop_test.cc", "// a test\n");
  const std::string git = "git -c user.name=You -c user.email=you@example.com -C '" + Path("sources") + "' ";
  ASSERT_EQ(std::system((git + "init -q && " + git + "add . && " + git + "commit -qm first").c_str()), 0);
  WriteFile("sources/.flaky.toml", "project = \"engine\"\n");
  const std::filesystem::path execroot = Path("base/execroot/_main");
  std::filesystem::create_directories(execroot);
  std::filesystem::create_directory_symlink(Path("sources/shop"), execroot / "shop");
  WriteFile("base/external/other/other_test.cc", "");
  std::filesystem::create_directory_symlink(Path("base/external"), execroot / "external");
  WriteFile("base/execroot/_main/bazel-out/bin/generated_test.cc", "");

  HeaderText header(1);
  header.SetText("bazel_target", "//shop:shop_test").SetText("bazel_execroot", execroot.string());
  header.SetText("cwd", (execroot / "bazel-out/bin/shop/shop_test.runfiles/_main").string());
  const auto journal = [&](uint64_t number, const std::string& file) {
    header.SetText("journal_id", TestId(number)).SetText("process_run_id", TestId(number));
    header.Set("started_us", std::to_string(Timestamp::Now().micros));
    PutJournal(Path("spool"), number,
               header.Line() + "{\"file\":\"" + file + "\"}\n[\"Shop.Opens\",1,1,\"passed\",1]\n" + kPassedEnd);
  };
  journal(1, "shop/shop_test.cc");
  journal(2, "external/other/other_test.cc");
  journal(3, "bazel-out/bin/generated_test.cc");
  EXPECT_EQ(Run({"deliver"}).code, 0);

  const json known = Show(TestId(1))["run"];
  EXPECT_EQ(known["project"], "engine");
  EXPECT_EQ(known["git_sha"].get<std::string>().size(), 40u);
  for (const uint64_t number : {2, 3}) {
    const json unknown = Show(TestId(number))["run"];
    EXPECT_EQ(unknown["project"], nullptr);
    EXPECT_EQ(unknown["git_sha"], nullptr);
  }
}

}  // namespace
}  // namespace flaky
