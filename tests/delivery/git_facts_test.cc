// SPDX-License-Identifier: MIT
#include "delivery/git_facts.h"

#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "settings/git_folder.h"
#include "settings/project_folder.h"
#include "tests/delivery/git_fixture.h"
#include "tests/support/wait_for.h"

namespace flaky {
namespace {

using Clock = std::chrono::steady_clock;

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
}

TEST_F(GitFactsTest, WorktreesAndClonesAreOneProject) {
  const fs::path worktree = folder_.path() / "linked", clone = folder_.path() / "demo-pr-1234",
                 second = folder_.path() / "clone-of-clone", bare = folder_.path() / "hub" / "demo.git",
                 of_bare = folder_.path() / "hub" / "side", submodule = repo_ / "third";
  Git(repo_, {"worktree", "add", "-q", worktree.string(), "-b", "side"});
  Git(repo_, {"clone", "-q", repo_.string(), clone.string()});
  Git(repo_, {"clone", "-q", worktree.string(), second.string()});
  Git(repo_, {"clone", "-q", "--bare", repo_.string(), bare.string()});
  for (const fs::path& folder : {worktree / "src", clone / "src", second}) EXPECT_EQ(ProjectOf(folder), "demo");
  EXPECT_EQ(ReadGit(worktree, Soon()).branch, "side");
  EXPECT_TRUE(HeadMovedAt(worktree));

  // All of them follow the remote of the first.
  Git(repo_, {"remote", "add", "origin", "https://user:secret@example.org/team/engine.git"});
  for (const fs::path& folder : {repo_, worktree / "src", clone / "src", second}) {
    EXPECT_EQ(ProjectOf(folder), "engine") << folder;
  }
  Git(bare, {"worktree", "add", "-q", of_bare.string(), "-b", "of-bare"});
  EXPECT_EQ(ProjectOf(of_bare), "engine");
  Git(bare, {"remote", "remove", "origin"});
  EXPECT_EQ(ProjectOf(of_bare), "demo");

  Git(repo_, {"-c", "protocol.file.allow=always", "submodule", "add", "-q", "-f", clone.string(), submodule.string()});
  EXPECT_EQ(ProjectOf(submodule / "src"), "engine");
  Git(submodule, {"remote", "set-url", "origin", "git@example.org:other/library.git"});
  EXPECT_EQ(ProjectOf(submodule / "src"), "library");
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

TEST_F(GitFactsTest, AGitFileIsReadUpToTheLengthOfAPath) {
  const fs::path top = folder_.path() / "huge";
  WriteWholeFile(top / ".git", "gitdir: ");
  fs::resize_file(top / ".git", uintmax_t{100} << 30);
  const auto start = Clock::now();
  EXPECT_EQ(GitFolder(top), top / ".git");
  EXPECT_FALSE(ReadGit(top, Soon()).sha);
  HeadMovedAt(top);
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(20));
  fs::resize_file(top / ".git", 0);
  WriteWholeFile(top / ".git", "gitdir: ../demo/.git");
  EXPECT_EQ(GitFolder(top), top / "../demo/.git") << "without a line break";
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

}  // namespace
}  // namespace flaky
