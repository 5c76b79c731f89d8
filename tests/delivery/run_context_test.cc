// SPDX-License-Identifier: MIT
#include "delivery/run_context.h"

#include <filesystem>
#include <string>

#include "tests/delivery/git_fixture.h"

namespace flaky {
namespace {

TEST_F(GitFactsTest, AProgramOutsideOfItsProjectIsOfTheProjectOfItsBuildFolder) {
  const fs::path build = folder_.path() / "elsewhere", data = folder_.path() / "data";
  fs::create_directories(build / "bin");
  fs::create_directories(data);
  WriteWholeFile(build / "CMakeCache.txt", "CMAKE_HOME_DIRECTORY:INTERNAL=" + repo_.string() + "\n");
  Journal journal = JournalIn(data);
  journal.args = {(build / "bin" / "a_test").string(), "--gtest_brief"};
  RunContext context = ContextOf(journal);
  EXPECT_EQ(context.project, "demo");
  EXPECT_EQ(context.root, repo_);
  EXPECT_TRUE(context.git_sha);
  journal.args = {"../elsewhere/bin/a_test"};
  EXPECT_EQ(ContextOf(journal).project, "demo");
  // The working folder comes first.
  WriteWholeFile(data / ".flaky.toml", "project = \"data\"\n");
  EXPECT_EQ(ContextOf(journal).project, "data");
}

TEST_F(GitFactsTest, ARunGetsTheFactsOfItsRepository) {
  const RunContext context = ContextOf(JournalIn(repo_ / "src"));
  EXPECT_EQ(context.root, repo_);
  EXPECT_EQ(context.project, "demo");
  EXPECT_EQ(context.git_sha, Git(repo_, {"rev-parse", "HEAD"}));
  EXPECT_EQ(context.branch, "main");
  EXPECT_EQ(context.git_dirty, false);
  EXPECT_FALSE(context.ci_url);
}

TEST_F(GitFactsTest, ABuildElsewhereIsFoundByItsSources) {
  const RunContext context =
      ContextOf(JournalIn(folder_.path() / "build", 1'000'000, (repo_ / "src/a_test.cc").string()));
  EXPECT_EQ(context.root, repo_);
  EXPECT_EQ(context.project, "demo");
  EXPECT_TRUE(context.git_sha);
  const RunContext nowhere = ContextOf(JournalIn(folder_.path() / "build", 1'000'000, "a_test.cc"));
  EXPECT_EQ(nowhere.root, fs::path());
  EXPECT_EQ(nowhere.project, "build");
  EXPECT_FALSE(nowhere.git_sha);
}

TEST_F(GitFactsTest, NoFactIsBetterThanThatOfOtherCode) {
  const RunContext context = ContextOf(JournalIn(repo_, -1'000'000));
  EXPECT_EQ(context.root, repo_);
  EXPECT_EQ(context.project, "demo");
  EXPECT_FALSE(context.git_sha);
  EXPECT_FALSE(context.tree_sha);
  EXPECT_FALSE(context.branch);
  EXPECT_FALSE(context.git_dirty);
}

TEST_F(GitFactsTest, TheProjectsNameHasAnOrder) {
  settings_.Set(setting::kProject, {"of-the-environment", Origin::kEnvironment, ""});
  EXPECT_EQ(ContextOf(JournalIn(repo_)).project, "demo") << "the environment of this program is not that of the test";
  settings_ = {};
  settings_.Set(setting::kProject, {"of-the-user", Origin::kUserFile, ""});
  EXPECT_EQ(ContextOf(JournalIn(repo_)).project, "of-the-user");
  WriteWholeFile(repo_ / ".flaky.toml", "project = \"of-the-file\"\n");
  EXPECT_EQ(ContextOf(JournalIn(repo_ / "src")).project, "of-the-file");
  EXPECT_EQ(ContextOf(JournalIn(repo_, 1, "", R"("recorded")")).project, "recorded");
  EXPECT_FALSE(ContextOf(JournalIn(repo_, 1, "", R"("")")).project);
}

TEST_F(GitFactsTest, ACiJobIsBelievedIfItAgreesWithGit) {
  environment_ = {{"GITHUB_ACTIONS", "true"},      {"GITHUB_SHA", Git(repo_, {"rev-parse", "HEAD"})},
                  {"GITHUB_REF", "refs/heads/ci"}, {"GITHUB_SERVER_URL", "https://user:word@github.example"},
                  {"GITHUB_REPOSITORY", "o/r"},    {"GITHUB_RUN_ID", "77"}};
  RunContext context = ContextOf(JournalIn(repo_));
  EXPECT_EQ(context.ci_url, "https://github.example/o/r/actions/runs/77");
  EXPECT_EQ(context.branch, "main");
  EXPECT_FALSE(ContextOf(JournalIn(repo_, -1'000'000)).ci_url) << "HEAD has moved since";

  Git(repo_, {"checkout", "-q", "--detach"});
  EXPECT_EQ(ContextOf(JournalIn(repo_)).branch, "ci");
  environment_["GITHUB_HEAD_REF"] = "feature/x";
  EXPECT_EQ(ContextOf(JournalIn(repo_)).branch, "feature/x");

  environment_["GITHUB_SHA"] = std::string(40, 'a');
  context = ContextOf(JournalIn(repo_));
  EXPECT_FALSE(context.ci_url) << "another job's journal";
  EXPECT_FALSE(context.branch);
  EXPECT_NE(context.git_sha, std::string(40, 'a'));
}

TEST_F(GitFactsTest, WithoutARepositoryACiJobIsBelievedForFreshJournals) {
  environment_ = {{"BUILDKITE", "true"},
                  {"BUILDKITE_COMMIT", std::string(40, 'b')},
                  {"BUILDKITE_BRANCH", "main"},
                  {"BUILDKITE_BUILD_URL", "https://ci.example/1"}};
  const RunContext fresh = ContextOf(JournalIn(folder_.path()));
  EXPECT_EQ(fresh.git_sha, std::string(40, 'b'));
  EXPECT_EQ(fresh.branch, "main");
  EXPECT_EQ(fresh.ci_url, "https://ci.example/1");
  const RunContext old = ContextOf(JournalIn(folder_.path(), -3'600'000'000));
  EXPECT_FALSE(old.git_sha);
  EXPECT_FALSE(old.ci_url);
}

}  // namespace
}  // namespace flaky
