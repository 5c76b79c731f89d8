// The recorder in a test that Bazel runs.

#include <gmock/gmock.h>

#include <fstream>

#include "tests/recorder/fixture_run.h"
#include "tests/support/bazel_stage.h"

namespace flaky {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class RecorderUnderBazel : public FixtureTest {
 protected:
  RecorderUnderBazel() : stage(folder(), std::string(FLAKY_FIXTURES) + "/behaviours") { env["HOME"] = std::nullopt; }

  Outcome RunTest(const BazelTest& test = {}, const std::string& filter = "Plain.Passes") {
    for (const auto& [name, value] : stage.Environment(test)) env.try_emplace(name, value);
    launcher = stage.test_setup();
    return Run("behaviours", {"--gtest_filter=" + filter});
  }
  json Header(const BazelTest& test = {}) {
    std::filesystem::remove_all(spool());
    for (const char* name : {"TEST_RUN_NUMBER", "TEST_RANDOM_SEED", "TEST_SHARD_INDEX", "TEST_TOTAL_SHARDS"})
      env.erase(name);
    for (const auto& [name, value] : stage.Environment(test)) env[name] = value;
    EXPECT_EQ(ExitStatus(RunTest(test)), 0);
    return TheJournal().header;
  }

  BazelStage stage;
};

TEST_F(RecorderUnderBazel, HeaderNamesTheTestAndTheCommand) {
  const json first = Header({.target = "//shop:shop_test", .run_number = 2, .shard = 1, .time_limit = "60"});
  EXPECT_EQ(first["bazel_target"], "//shop:shop_test");
  EXPECT_EQ(first["bazel_run"], 2);
  EXPECT_EQ(first["shard"], json({1, 2}));
  EXPECT_EQ(first["time_limit_s"], 60);
  EXPECT_EQ(first["bazel_execroot"], std::filesystem::canonical(stage.execroot()).string());

  const json retried = Header(), again = Header();
  EXPECT_EQ(retried["bazel_command_ns"], first["bazel_command_ns"]);
  EXPECT_EQ(again["bazel_command_ns"], first["bazel_command_ns"]);
  EXPECT_FALSE(again.contains("bazel_run"));
  stage.BeginCommand();
  EXPECT_GT(Header()["bazel_command_ns"], first["bazel_command_ns"]);
}

TEST_F(RecorderUnderBazel, UsesTheSeedAsTheRunNumberOfOlderVersions) {
  BazelTest third;
  third.run_number = 3;
  env["TEST_RUN_NUMBER"] = std::nullopt;
  env["TEST_RANDOM_SEED"] = "3";
  EXPECT_EQ(ExitStatus(RunTest(third)), 0);
  EXPECT_EQ(TheJournal().header["bazel_run"], 3);
}

TEST_F(RecorderUnderBazel, LeavesOutACommandThatItCannotSee) {
  std::filesystem::remove(std::filesystem::path(stage.test_setup()).parent_path() / "command.log");
  const json header = Header();
  EXPECT_EQ(header["bazel_target"], "//shop:shop_test");
  EXPECT_FALSE(header.contains("bazel_command_ns"));
  EXPECT_FALSE(header.contains("bazel_execroot"));
}

TEST_F(RecorderUnderBazel, OneVariableAloneDoesNotMeanBazel) {
  env["TEST_TARGET"] = "debug";
  Run("behaviours", {"--gtest_filter=Plain.Passes"});
  const json header = TheJournal().header;
  for (const char* name : {"bazel_target", "bazel_run", "bazel_execroot", "bazel_command_ns", "time_limit_s"}) {
    EXPECT_FALSE(header.contains(name)) << name;
  }
}

TEST_F(RecorderUnderBazel, KeepsItsJournalWithTheOutputsIfThereIsNoSpool) {
  env["HOME"] = folder().string();  // may be the sandbox's, so nothing may be left there
  for (const std::optional<std::string>& spool_setting : {std::optional<std::string>(), {"relative/spool"}}) {
    env["FLAKY_TESTS_SPOOL"] = spool_setting;
    std::filesystem::remove_all(stage.outputs());
    const Outcome outcome = RunTest();
    EXPECT_EQ(ExitStatus(outcome), 0);
    EXPECT_EQ(outcome.err,
              "flaky: FLAKY_TESTS_SPOOL is not set to an absolute path (use --test_env); recorded in test.outputs of "
              "//shop:shop_test instead\n");
    ASSERT_THAT(ReadAll(stage.outputs() / "flaky"), SizeIs(1));
    EXPECT_EQ(ReadAll(stage.outputs() / "flaky")[0].OutcomeOf("Plain.Passes"), "passed");
    EXPECT_FALSE(std::filesystem::exists(folder() / ".local"));
  }
}

TEST_F(RecorderUnderBazel, KeepsItsJournalWithTheOutputsWhenTheSpoolIsForbidden) {
  std::ofstream(spool()) << "not a folder";
  const Outcome outcome = RunTest({}, "Plain.Fails");
  EXPECT_EQ(ExitStatus(outcome), 1);
  EXPECT_EQ(outcome.err, "flaky: cannot write to the spool " + spool().string() +
                             ": Not a directory (use --sandbox_writable_path); "
                             "recorded in test.outputs of //shop:shop_test instead\n");
  ASSERT_THAT(ReadAll(stage.outputs() / "flaky"), SizeIs(1));
  EXPECT_EQ(ReadAll(stage.outputs() / "flaky")[0].OutcomeOf("Plain.Fails"), "failed");
}

TEST_F(RecorderUnderBazel, WarnsWhenNothingIsRecorded) {
  env["FLAKY_TESTS_SPOOL"] = std::nullopt;
  std::filesystem::create_directories(stage.outputs());
  std::ofstream(stage.outputs() / "flaky") << "not a folder";
  const Outcome outcome = RunTest();
  EXPECT_EQ(ExitStatus(outcome), 0);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("FLAKY_TESTS_SPOOL is not set to an absolute path"),
                                 HasSubstr("nothing is recorded: Not a directory: ")));
  EXPECT_THAT(outcome.err, testing::Not(HasSubstr("instead")));
}

TEST_F(RecorderUnderBazel, DeliversNothing) {
  env["FLAKY_TESTS_DELIVERY_TIMEOUT"] = "20";
  env["FLAKY_TESTS_PROGRAM"] = std::string(FLAKY_FIXTURES) + "/stand_in_flaky";
  env["STAND_IN_NOTES"] = (folder() / "notes").string();
  EXPECT_EQ(ExitStatus(RunTest()), 0);
  EXPECT_FALSE(std::filesystem::exists(folder() / "notes"));
  EXPECT_THAT(Journals(), SizeIs(1));
}

}  // namespace
}  // namespace flaky
