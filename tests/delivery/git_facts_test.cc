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
#include "settings/git_folder.h"
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

// A repository whose configuration names a program wherever git knows one. Each would leave the file `mark`.
class HostileRepositoryTest : public GitFactsTest {
 protected:
  HostileRepositoryTest() {
    WriteWholeFile(repo_ / ".gitattributes", "*.f filter=evil\n");
    WriteWholeFile(repo_ / "x.f", "filtered\n");
    WriteWholeFile(script_, "#!/bin/sh\ntouch '" + mark_.string() + "'\n");
    chmod(script_.c_str(), 0700);
    Git(repo_, {"add", "."});
    Git(repo_, {"commit", "-q", "-m", "filtered"});
  }

  // The index knows the file with another time: git must look at its content.
  void Touch(const fs::path& file) const {
    fs::last_write_time(file, fs::file_time_type::clock::now() + std::chrono::seconds(5));
  }
  void ExpectNothingStarted(const std::string& what) const {
    EXPECT_FALSE(fs::exists(mark_)) << what;
    fs::remove(mark_);
  }
  // Git as a user calls it starts the program: the trap is one.
  void ExpectTrap(const std::string& what) const {
    RunCommand({"git", "-C", repo_.string(), "status"},
               {"PATH=" + std::string(std::getenv("PATH")), "GIT_CONFIG_NOSYSTEM=1", "HOME=/nonexistent"}, Soon(),
               1 << 20);
    EXPECT_TRUE(fs::exists(mark_)) << what;
    fs::remove(mark_);
  }

  const fs::path mark_ = folder_.path() / "mark";
  const fs::path script_ = folder_.path() / "evil program";
  const std::string command_ = "'" + script_.string() + "'";
};

TEST_F(HostileRepositoryTest, NoFilterIsStartedAndDirtIsNotGuessed) {
  for (const std::string key : {"clean", "process"}) {
    Git(repo_, {"config", "filter.evil." + key, command_});
    Git(repo_, {"config", "filter.evil.required", "true"});
    EXPECT_EQ(ReadGit(repo_, Soon()).dirty, false) << "nothing was touched";
    Touch(repo_ / "x.f");
    GitFacts facts = ReadGit(repo_, Soon());
    EXPECT_TRUE(facts.sha);
    EXPECT_FALSE(facts.dirty) << "what the filter would make of it is not known";
    WriteWholeFile(repo_ / "x.f", "distinct\n");  // of the same length, so that git has to compare
    Touch(repo_ / "x.f");
    EXPECT_FALSE(ReadGit(repo_, Soon()).dirty) << "the same";
    WriteWholeFile(repo_ / "src" / "a_test.cc", "changed\n");
    EXPECT_EQ(ReadGit(repo_, Soon()).dirty, true) << "this file has no filter";
    WriteWholeFile(repo_ / "src" / "a_test.cc", "one\n");
    Touch(repo_ / "src" / "a_test.cc");
    EXPECT_FALSE(ReadGit(repo_, Soon()).dirty);
    ExpectNothingStarted(key);
    ExpectTrap(key);
    Git(repo_, {"config", "--remove-section", "filter.evil"});
    Git(repo_, {"checkout", "-q", "."});
    Git(repo_, {"status"});
    fs::remove(mark_);
  }
}

TEST_F(HostileRepositoryTest, AFilterElsewhereDoesNotHideWhatIsKnown) {
  Git(repo_, {"config", "filter.evil.clean", command_});
  Touch(repo_ / "src" / "a_test.cc");
  EXPECT_EQ(ReadGit(repo_, Soon()).dirty, false) << "only a file without a filter was touched";
  fs::remove(repo_ / "x.f");
  EXPECT_EQ(ReadGit(repo_, Soon()).dirty, true) << "no filter brings it back";
  ExpectNothingStarted("a removed file");
}

TEST_F(HostileRepositoryTest, NoFilterOfAnIncludedFileOrWithAnOddNameIsStarted) {
  WriteWholeFile(folder_.path() / "more", "[filter \"evil\"]\n\tclean = " + command_ + "\n");
  Git(repo_, {"config", "include.path", (folder_.path() / "more").string()});
  Touch(repo_ / "x.f");
  EXPECT_FALSE(ReadGit(repo_, Soon()).dirty);
  ExpectNothingStarted("include.path");
  ExpectTrap("include.path");
  Touch(repo_ / "x.f");
  Git(repo_, {"config", "--unset", "include.path"});
  for (const std::string name : {"a=b", "a.b", "A b", "clean", "\"", "a=.clean="}) {
    WriteWholeFile(repo_ / ".git" / "info" / "attributes", "*.f filter=" + name + "\n");
    Git(repo_, {"config", "filter." + name + ".clean", command_});
    EXPECT_TRUE(ReadGit(repo_, Soon()).sha) << name;
    ExpectNothingStarted(name);
    Git(repo_, {"config", "--remove-section", "filter." + name});
  }
}

TEST_F(HostileRepositoryTest, NoProgramOfASubmoduleIsStarted) {
  const fs::path library = folder_.path() / "library";
  fs::create_directories(library);
  Git(library, {"init", "-q"});
  WriteWholeFile(library / "x.f", "filtered\n");
  WriteWholeFile(library / "plain", "plain\n");
  WriteWholeFile(library / ".gitattributes", "*.f filter=evil\n");
  Git(library, {"add", "."});
  Git(library, {"commit", "-q", "-m", "library"});
  Git(repo_, {"-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library.string(), "lib"});
  Git(repo_, {"commit", "-q", "-m", "lib"});
  EXPECT_EQ(ReadGit(repo_, Soon()).dirty, false);
  WriteWholeFile(repo_ / "lib" / "plain", "changed\n");
  EXPECT_EQ(ReadGit(repo_, Soon()).dirty, true) << "a file of the submodule";
  Git(repo_ / "lib", {"checkout", "-q", "."});

  for (const std::string key : {"filter.evil.clean", "filter.evil.process", "core.fsmonitor"}) {
    Git(repo_ / "lib", {"config", key, command_});
    Touch(repo_ / "lib" / "x.f");
    EXPECT_TRUE(ReadGit(repo_, Soon()).sha);
    ExpectNothingStarted(key);
    ExpectTrap(key);
    Git(repo_ / "lib", {"config", "--unset", key});
  }
  EXPECT_EQ(ReadGit(repo_, Soon()).dirty, false) << "without a filter, the touched file is equal";
  Git(repo_ / "lib", {"commit", "-q", "--allow-empty", "-m", "two"});
  EXPECT_EQ(ReadGit(repo_, Soon()).dirty, true) << "another commit of the submodule";
}

TEST_F(HostileRepositoryTest, ASubmoduleOutsideOfTheRepositoryIsNotLookedAt) {
  const fs::path outside = folder_.path() / "outside";
  fs::create_directories(outside);
  Git(outside, {"init", "-q"});
  WriteWholeFile(outside / "file", "one\n");
  Git(outside, {"add", "."});
  Git(outside, {"commit", "-q", "-m", "one"});
  WriteWholeFile(outside / "file", "two\n");
  fs::create_directory_symlink(outside, repo_ / "link");
  WriteWholeFile(repo_ / ".gitmodules", "[submodule \"a\"]\n\tpath = ../outside\n[submodule \"b\"]\n\tpath = link\n" +
                                            std::string("[submodule \"c\"]\n\tpath = ") + outside.string() + "\n");
  Git(repo_, {"add", ".gitmodules"});
  Git(repo_, {"commit", "-q", "-m", "modules"});
  EXPECT_EQ(ReadGit(repo_, Soon()).dirty, false);
}

TEST_F(HostileRepositoryTest, NothingIsFetched) {
  const std::string tree = Git(repo_, {"rev-parse", "HEAD^{tree}"});
  Git(repo_, {"config", "core.repositoryFormatVersion", "1"});
  Git(repo_, {"config", "extensions.partialClone", "origin"});
  Git(repo_, {"config", "remote.origin.promisor", "true"});
  Git(repo_, {"config", "protocol.ext.allow", "always"});
  Git(repo_, {"config", "protocol.allow", "always"});
  Git(repo_, {"config", "core.sshCommand", command_});
  Git(repo_, {"config", "core.askPass", command_});
  Git(repo_, {"config", "credential.helper", "!" + command_});
  fs::remove(repo_ / ".git" / "objects" / tree.substr(0, 2) / tree.substr(2));
  // A blank in a path is `% ` there.
  const std::string program = script_.parent_path().string() + "/evil% program";
  for (const std::string& url : {"ext::" + program, "ext::" + program + " %S", std::string("host:path")}) {
    Git(repo_, {"config", "remote.origin.url", url});
    fs::remove(repo_ / ".git" / "index");
    EXPECT_FALSE(ReadGit(repo_, Soon()).dirty) << url;
    ExpectNothingStarted(url);
    ExpectTrap(url);
  }
}

TEST_F(HostileRepositoryTest, NoHookPagerAliasOrDriverIsStarted) {
  for (const char* hook : {"post-index-change", "fsmonitor-watchman", "pre-auto-gc", "reference-transaction"}) {
    fs::create_directories(repo_ / ".git" / "hooks");
    fs::copy_file(script_, repo_ / ".git" / "hooks" / hook, fs::copy_options::overwrite_existing);
  }
  for (const char* key : {"core.fsmonitor", "core.pager", "pager.status", "pager.config", "core.editor",
                          "diff.external", "diff.evil.textconv", "diff.evil.command", "alias.status", "alias.config",
                          "gpg.program", "core.alternateRefsCommand", "core.gitProxy", "interactive.diffFilter"}) {
    Git(repo_, {"config", key, command_});
  }
  WriteWholeFile(repo_ / ".git" / "info" / "attributes", "* diff=evil\n");
  fs::remove(mark_);
  Touch(repo_ / "src" / "a_test.cc");
  WriteWholeFile(repo_ / "x.f", "changed\n");
  EXPECT_EQ(ReadGit(repo_, Soon()).dirty, true);
  ExpectNothingStarted("hooks and drivers");
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
