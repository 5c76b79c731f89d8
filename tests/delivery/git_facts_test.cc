// SPDX-License-Identifier: MIT
#include "delivery/git_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "delivery/ci_facts.h"
#include "delivery/run_context.h"
#include "delivery/subprocess.h"
#include "settings/locations.h"
#include "settings/project_folder.h"
#include "spool/journal_parser.h"
#include "spool/record_of.h"
#include "spool/spool_source.h"
#include "tests/support/journal_text.h"
#include "tests/support/temp_folder.h"
#include "tests/support/wait_for.h"

namespace flaky {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

Clock::time_point Soon() { return Clock::now() + std::chrono::seconds(60); }

// Runs git as a user would, with nothing of this machine's configuration.
std::string Git(const fs::path& folder, std::vector<std::string> arguments) {
  std::vector<std::string> command = {"git",
                                      "-C",
                                      folder.string(),
                                      "-c",
                                      "user.name=Test",
                                      "-c",
                                      "user.email=t@example.org",
                                      "-c",
                                      "init.defaultBranch=main"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const CommandOutput output =
      RunCommand(command, {"PATH=" + std::string(std::getenv("PATH")), "GIT_CONFIG_NOSYSTEM=1", "HOME=/nonexistent"},
                 Soon(), 1 << 20);
  EXPECT_TRUE(output.succeeded) << arguments[0];
  return output.text.substr(0, output.text.find('\n'));
}

// A folder outside of any repository, with one in it.
class GitFactsTest : public ::testing::Test {
 protected:
  GitFactsTest() : repo_(folder_.path() / "demo") {
    fs::create_directories(repo_ / "src");
    Git(repo_, {"init", "-q"});
    WriteWholeFile(repo_ / "src" / "a_test.cc", "one\n");
    Git(repo_, {"add", "."});
    Git(repo_, {"commit", "-q", "-m", "one"});
  }

  // A journal of a process that worked in `cwd`, began `after` HEAD last moved and has just ended.
  Journal JournalIn(const fs::path& cwd, int64_t after_us = 1'000'000, const std::string& file = "",
                    const std::string& project = "") const {
    const Timestamp moved = HeadMovedAt(repo_).value_or(Timestamp::Now());
    HeaderText header(1);
    header.SetText("cwd", cwd.string()).Set("started_us", std::to_string((moved + after_us).micros));
    if (!project.empty()) header.Set("project", project);
    return ParseJournal(header.Line() + "{\"file\":" + JsonText(file) + "}\n[\"S.A\",1,1,\"passed\",1]\n" + kPassedEnd);
  }

  RunContext ContextOf(const Journal& journal) {
    RunContexts contexts(
        Resolve(settings_).user_project,
        [this](const char* name) {
          const auto found = environment_.find(name);
          return found == environment_.end() ? nullptr : found->second.c_str();
        },
        std::chrono::seconds(60));
    return contexts.Of(journal);
  }

  TempFolder folder_;
  const fs::path repo_;
  Settings settings_;
  std::map<std::string, std::string> environment_;
};

TEST_F(GitFactsTest, FindsTheTopOfTheRepository) {
  EXPECT_EQ(RepositoryTop(repo_), repo_);
  EXPECT_EQ(RepositoryTop(repo_ / "src/"), repo_);
  EXPECT_EQ(RepositoryTop(repo_ / "build" / "that" / "is" / "gone"), repo_);
  EXPECT_EQ(RepositoryTop(folder_.path()), fs::path());
  EXPECT_EQ(RepositoryTop("src"), fs::path());
  EXPECT_EQ(RepositoryTop(""), fs::path());
}

TEST_F(GitFactsTest, NamesTheProject) {
  EXPECT_EQ(ProjectOf(repo_ / "src"), "demo");
  fs::create_directories(folder_.path() / "plain");
  EXPECT_EQ(ProjectOf(folder_.path() / "plain/"), "plain");
  EXPECT_EQ(ProjectOf("/"), "");
  const fs::path worktree = folder_.path() / "linked";
  Git(repo_, {"worktree", "add", "-q", worktree.string(), "-b", "side"});
  EXPECT_EQ(ProjectOf(worktree / "src"), "linked");
  EXPECT_EQ(ReadGit(worktree, Soon()).branch, "side");
  EXPECT_TRUE(HeadMovedAt(worktree));
}

TEST_F(GitFactsTest, ReadsCommitTreeBranchAndDirt) {
  const GitFacts clean = ReadGit(repo_, Soon());
  EXPECT_EQ(clean.sha, Git(repo_, {"rev-parse", "HEAD"}));
  EXPECT_EQ(clean.tree, Git(repo_, {"rev-parse", "HEAD^{tree}"}));
  EXPECT_EQ(clean.branch, "main");
  EXPECT_EQ(clean.dirty, false);

  WriteWholeFile(repo_ / "untracked", "x");
  EXPECT_EQ(ReadGit(repo_, Soon()).dirty, false);
  WriteWholeFile(repo_ / "src" / "a_test.cc", "two\n");
  EXPECT_EQ(ReadGit(repo_, Soon()).dirty, true);

  Git(repo_, {"checkout", "-q", "--detach"});
  const GitFacts detached = ReadGit(repo_, Soon());
  EXPECT_EQ(detached.sha, clean.sha);
  EXPECT_FALSE(detached.branch);
}

TEST_F(GitFactsTest, LooksWithoutTouchingTheRepository) {
  // A touched file makes git want to refresh its index.
  fs::last_write_time(repo_ / "src" / "a_test.cc", fs::file_time_type::clock::now() + std::chrono::seconds(5));
  const std::string index = ReadWholeFile(repo_ / ".git" / "index");
  EXPECT_EQ(ReadGit(repo_, Soon()).dirty, false);
  EXPECT_EQ(ReadWholeFile(repo_ / ".git" / "index"), index);
}

TEST_F(GitFactsTest, IgnoresWhatAGitHookLeavesInTheEnvironment) {
  ASSERT_EQ(setenv("GIT_DIR", "/nonexistent", 1), 0);
  ASSERT_EQ(setenv("GIT_INDEX_FILE", "/nonexistent/index", 1), 0);
  const GitFacts facts = ReadGit(repo_, Soon());
  unsetenv("GIT_DIR");
  unsetenv("GIT_INDEX_FILE");
  EXPECT_TRUE(facts.sha);
  EXPECT_EQ(facts.dirty, false);
}

TEST_F(GitFactsTest, StartsNoProgramThatTheRepositoryNames) {
  const fs::path mark = folder_.path() / "started";
  const fs::path script = folder_.path() / "monitor";
  WriteWholeFile(script, "#!/bin/sh\ntouch '" + mark.string() + "'\n");
  chmod(script.c_str(), 0700);
  Git(repo_, {"config", "core.fsmonitor", script.string()});
  EXPECT_EQ(ReadGit(repo_, Soon()).dirty, false);
  EXPECT_FALSE(fs::exists(mark));
}

TEST_F(GitFactsTest, KnowsNothingOfAnEmptyOrBrokenRepository) {
  const fs::path empty = folder_.path() / "empty";
  fs::create_directories(empty);
  Git(empty, {"init", "-q"});
  EXPECT_FALSE(ReadGit(empty, Soon()).sha);
  fs::create_directories(folder_.path() / "broken" / ".git");
  EXPECT_FALSE(ReadGit(folder_.path() / "broken", Soon()).sha);
}

TEST_F(GitFactsTest, AnswersInTime) {
  // A git that never ends, and has a child that never ends.
  const fs::path fake = folder_.path() / "bin";
  WriteWholeFile(fake / "git", "#!/bin/sh\nsleep 1000 & echo $! > '" + (fake / "child").string() + "'; sleep 1000\n");
  chmod((fake / "git").c_str(), 0700);
  const std::string path = std::getenv("PATH");
  setenv("PATH", (fake.string() + ":" + path).c_str(), 1);
  // Longer and longer, until this git had the time to start its child.
  const auto start = Clock::now();
  const auto started = [&] { return fs::exists(fake / "child") && ReadWholeFile(fake / "child").ends_with('\n'); };
  for (auto patience = std::chrono::milliseconds(300); !started(); patience *= 2) {
    EXPECT_FALSE(ReadGit(repo_, Clock::now() + patience).sha);
  }
  setenv("PATH", path.c_str(), 1);
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(900)) << "as long as this git would take";
  // The child is gone, too; `kill -0` on a zombie that init has not reaped would still succeed, so its state is read.
  const std::string child = ReadWholeFile(fake / "child");
  WaitFor("the end of git's child", [&] {
    std::string stat;
    std::getline(std::ifstream("/proc/" + child.substr(0, child.find('\n')) + "/stat"), stat);
    return stat.empty() || stat.find(") Z") != std::string::npos;
  });
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

using Variables = std::map<std::string, std::string>;

std::optional<CiFacts> CiOf(const Variables& variables) {
  return ReadCi([&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(ReadCi, KnowsTheProviders) {
  const std::string sha(40, 'c');
  struct Case {
    std::string provider;
    Variables variables;
    std::string branch, url;
  };
  const Case cases[] = {
      {"GitLab CI",
       {{"CI", "true"},
        {"GITLAB_CI", "true"},
        {"CI_COMMIT_SHA", sha},
        {"CI_COMMIT_BRANCH", "b"},
        {"CI_JOB_URL", "https://g/1"}},
       "b",
       "https://g/1"},
      {"CircleCI",
       {{"CIRCLECI", "true"}, {"CIRCLE_SHA1", sha}, {"CIRCLE_BRANCH", "b"}, {"CIRCLE_BUILD_URL", "https://c/1"}},
       "b",
       "https://c/1"},
      {"Azure Pipelines",
       {{"TF_BUILD", "True"},
        {"BUILD_SOURCEVERSION", sha},
        {"BUILD_SOURCEBRANCH", "refs/heads/x/b"},
        {"SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", "https://a/o/"},
        {"SYSTEM_TEAMPROJECT", "p"},
        {"BUILD_BUILDID", "9"}},
       "x/b",
       "https://a/o/p/_build/results?buildId=9"},
      {"Travis CI",
       {{"TRAVIS", "true"}, {"TRAVIS_COMMIT", sha}, {"TRAVIS_BRANCH", "b"}, {"TRAVIS_JOB_WEB_URL", "https://t/1"}},
       "b",
       "https://t/1"},
      {"Jenkins",
       {{"JENKINS_URL", "https://j"}, {"GIT_COMMIT", sha}, {"GIT_BRANCH", "origin/b"}, {"BUILD_URL", "https://j/1"}},
       "b",
       "https://j/1"},
      {"CI",
       {{"CI", "true"}, {"GIT_COMMIT", sha}, {"BRANCH_NAME", "b"}, {"BUILD_URL", "https://x/1"}},
       "b",
       "https://x/1"},
  };
  for (const Case& one : cases) {
    const auto facts = CiOf(one.variables);
    ASSERT_TRUE(facts) << one.provider;
    EXPECT_EQ(facts->provider, one.provider);
    EXPECT_EQ(facts->sha, sha) << one.provider;
    EXPECT_EQ(facts->branch, one.branch) << one.provider;
    EXPECT_EQ(facts->url, one.url) << one.provider;
  }
}

TEST(ReadCi, LeavesOutWhatItDoesNotKnow) {
  EXPECT_FALSE(CiOf({}));
  EXPECT_FALSE(CiOf({{"CI", "false"}}));
  const auto facts = CiOf(
      {{"GITHUB_ACTIONS", "true"}, {"GITHUB_SHA", "HEAD"}, {"GITHUB_REF", "refs/tags/v1"}, {"GITHUB_RUN_ID", "7"}});
  ASSERT_TRUE(facts);
  EXPECT_FALSE(facts->sha);
  EXPECT_FALSE(facts->branch) << "a tag is not a branch";
  EXPECT_FALSE(facts->url) << "an incomplete URL is dropped";
}

}  // namespace
}  // namespace flaky
