// SPDX-License-Identifier: MIT

// Calls to git start no program that a repository names.
#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/delivery/git_fixture.h"

namespace flaky {
namespace {

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

}  // namespace
}  // namespace flaky
