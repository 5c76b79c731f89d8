// SPDX-License-Identifier: MIT
#include "delivery/edited_tree.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "delivery/git_facts.h"
#include "delivery/subprocess.h"
#include "tests/support/journal_text.h"
#include "tests/support/temp_folder.h"

namespace flaky {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

Clock::time_point Soon() { return Clock::now() + std::chrono::seconds(60); }

// Runs git as a user would, with nothing of this machine's configuration. Returns the first line.
std::string Git(const fs::path& folder, const std::vector<std::string>& arguments,
                const std::vector<std::string>& more = {}) {
  std::vector<std::string> command = {"git", "-C", folder.string(), "-c", "init.defaultBranch=main"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment = {"PATH=" + std::string(std::getenv("PATH")),
                                          "GIT_CONFIG_NOSYSTEM=1",
                                          "HOME=/nonexistent",
                                          "GIT_AUTHOR_NAME=Test",
                                          "GIT_AUTHOR_EMAIL=t@example.org",
                                          "GIT_COMMITTER_NAME=Test",
                                          "GIT_COMMITTER_EMAIL=t@example.org"};
  environment.insert(environment.end(), more.begin(), more.end());
  const CommandOutput output = RunCommand(command, environment, Soon(), 1 << 20);
  EXPECT_TRUE(output.succeeded) << arguments[0];
  return output.text.substr(0, output.text.find('\n'));
}

// The content, the kind and the time of everything below a folder.
using Snapshot = std::map<std::string, std::pair<std::string, int64_t>>;
Snapshot SnapshotOf(const fs::path& folder) {
  Snapshot all;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    struct stat status {};
    EXPECT_EQ(lstat(entry.path().c_str(), &status), 0);
    std::string content = std::to_string(status.st_mode) + ' ' + std::to_string(status.st_ino) + '\n';
    if (S_ISREG(status.st_mode)) {
      std::ifstream file(entry.path(), std::ios::binary);
      content.append(std::istreambuf_iterator<char>(file), {});
    }
    all[entry.path().lexically_relative(folder)] = {content,
                                                    status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
  }
  return all;
}

class EditedTreeTest : public ::testing::Test {
 protected:
  EditedTreeTest() {
    MakeRepository(repo_);
    setenv("TMPDIR", temporary_.c_str(), 1);
  }
  ~EditedTreeTest() override { unsetenv("TMPDIR"); }

  static void MakeRepository(const fs::path& repo) {
    fs::create_directories(repo / "src");
    Git(repo, {"init", "-q"});
    WriteWholeFile(repo / "src" / "a_test.cc", "one\n");
    WriteWholeFile(repo / "src" / "other.cc", "other\n");
    WriteWholeFile(repo / ".gitignore", "build/\n");
    Git(repo, {"add", "."});
    Git(repo, {"commit", "-q", "-m", "one"});
  }

  // Returns the id, and expects that the repository does not change and that it leaves no file.
  std::optional<std::string> IdOf(const fs::path& repo) {
    const Snapshot before = SnapshotOf(repo);
    const GitFacts facts = ReadGit(repo, Soon());
    EXPECT_TRUE(SnapshotOf(repo) == before);
    EXPECT_TRUE(fs::is_empty(temporary_));
    return facts.edited_tree;
  }
  std::optional<std::string> Id() { return IdOf(repo_); }

  void Edit(const std::string& file, const std::string& content) const { WriteWholeFile(repo_ / file, content); }
  // Returns the id of the tree that the user's commit of everything has, and takes the commit back.
  std::string CommittedTree() const {
    Git(repo_, {"add", "-A"});
    Git(repo_, {"commit", "-q", "-m", "edit"});
    const std::string tree = Git(repo_, {"rev-parse", "HEAD^{tree}"});
    Git(repo_, {"reset", "-q", "HEAD^"});
    return tree;
  }
  static fs::path MakeTemporary(const fs::path& folder) {
    fs::create_directories(folder);
    return folder;
  }

  TempFolder folder_;
  const fs::path repo_ = folder_.path() / "demo";
  const fs::path temporary_ = MakeTemporary(folder_.path() / "tmp");
};

TEST_F(EditedTreeTest, IsTheTreeOfACommitOfTheEdit) {
  EXPECT_EQ(Id(), std::nullopt) << "nothing is edited";
  Edit("src/a_test.cc", "two\n");
  const auto edited = Id();
  EXPECT_EQ(Id(), edited) << "the same edit";
  EXPECT_EQ(edited, CommittedTree());
  Edit("src/a_test.cc", "three\n");
  const auto other = Id();
  EXPECT_TRUE(other);
  EXPECT_NE(other, edited);
  Edit("src/a_test.cc", "two\n");
  EXPECT_EQ(Id(), edited) << "the same edit again";
  fs::remove(repo_ / "src" / "other.cc");
  EXPECT_NE(Id(), edited) << "a removed file";
  EXPECT_EQ(Id(), CommittedTree());
}

TEST_F(EditedTreeTest, HasNewFilesAndNotIgnoredOnes) {
  Edit("src/a_test.cc", "two\n");
  const auto without = Id();
  Edit("build/output", "x");
  EXPECT_EQ(Id(), without) << "an ignored file";
  Edit("src/new_test.cc", "1");
  const auto with = Id();
  EXPECT_NE(with, without) << "a test that is being written";
  Edit("src/new_test.cc", "2");
  EXPECT_NE(Id(), with);
  EXPECT_EQ(Id(), CommittedTree());
}

TEST_F(EditedTreeTest, DoesNotDependOnWhatIsStaged) {
  Edit("src/a_test.cc", "two\n");
  const auto edited = Id();
  Git(repo_, {"add", "."});
  EXPECT_EQ(Id(), edited);
  Edit("src/a_test.cc", "one\n");
  EXPECT_EQ(Id(), Git(repo_, {"rev-parse", "HEAD^{tree}"})) << "the files are those of the commit";
}

TEST_F(EditedTreeTest, WorksInALinkedWorktreeAndWithASplitIndex) {
  const fs::path linked = folder_.path() / "linked";
  Git(repo_, {"worktree", "add", "-q", "-b", "side", linked.string()});
  WriteWholeFile(linked / "src" / "a_test.cc", "two\n");
  Edit("src/a_test.cc", "two\n");
  EXPECT_TRUE(Id());
  EXPECT_EQ(IdOf(linked), Id());
  Git(repo_, {"update-index", "--split-index"});
  Git(repo_, {"config", "core.splitIndex", "true"});
  const std::string tree = ReadGit(repo_, Soon()).edited_tree.value_or("");
  EXPECT_EQ(tree, IdOf(linked));
}

TEST_F(EditedTreeTest, IsUnknownIfItWouldNotSayEverything) {
  Edit("src/a_test.cc", "two\n");
  ASSERT_TRUE(Id());
  const fs::path inner = repo_ / "third_party";
  MakeRepository(inner);
  EXPECT_EQ(Id(), std::nullopt) << "what is in another repository is not in the tree";
  fs::remove_all(inner);
  Edit("large", "");
  fs::resize_file(repo_ / "large", uintmax_t{100} << 30);
  EXPECT_EQ(ReadGit(repo_, Soon()).edited_tree, std::nullopt);
  fs::remove(repo_ / "large");
  ASSERT_TRUE(Id());
  Git(repo_, {"config", "filter.f.clean", "cat"});
  Edit(".gitattributes", "*.cc filter=f\n");
  EXPECT_EQ(Id(), std::nullopt) << "filters are not run";
  Edit(".gitattributes", "*.txt filter=f\n");
  EXPECT_TRUE(Id()) << "no edited file has one";
}

TEST_F(EditedTreeTest, IsUnknownIfASubmoduleIsEdited) {
  const fs::path library = folder_.path() / "library", sub = repo_ / "lib";
  MakeRepository(library);
  Git(repo_, {"-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library.string(), "lib"});
  Git(repo_, {"commit", "-q", "-m", "lib"});
  Edit("src/a_test.cc", "two\n");
  const auto edited = Id();
  EXPECT_EQ(edited, CommittedTree());
  WriteWholeFile(sub / "src" / "a_test.cc", "changed\n");
  EXPECT_EQ(Id(), std::nullopt);
  Git(sub, {"commit", "-q", "-a", "-m", "changed"});
  const auto moved = Id();
  EXPECT_TRUE(moved);
  EXPECT_NE(moved, edited) << "another commit of the submodule";
}

TEST_F(EditedTreeTest, StartsNoProgramThatTheRepositoryNames) {
  const fs::path mark = folder_.path() / "mark", script = folder_.path() / "script";
  WriteWholeFile(script, "#!/bin/sh\ntouch '" + mark.string() + "'\n");
  chmod(script.c_str(), 0700);
  fs::create_directories(repo_ / ".git" / "hooks");
  fs::copy_file(script, repo_ / ".git" / "hooks" / "post-index-change");
  for (const char* key : {"core.fsmonitor", "core.pager", "diff.external", "core.editor"}) {
    Git(repo_, {"config", key, script.string()});
  }
  Edit("src/a_test.cc", "two\n");
  fs::remove(mark);
  EXPECT_TRUE(Id());
  EXPECT_FALSE(fs::exists(mark));
}

TEST_F(EditedTreeTest, IsWrittenOutsideOfTheRepository) {
  ASSERT_EQ(setenv("TMPDIR", (repo_ / "src").c_str(), 1), 0);
  Edit("src/a_test.cc", "two\n");
  const fs::file_time_type before = fs::last_write_time(repo_ / "src");
  EXPECT_TRUE(Id());
  EXPECT_EQ(fs::last_write_time(repo_ / "src"), before);
}

TEST_F(EditedTreeTest, ARunKnowsItsCommitTimeAndMergeBase) {
  const std::vector<std::string> date = {"GIT_COMMITTER_DATE=1700000000 +0100", "GIT_AUTHOR_DATE=1600000000 +0000"};
  Git(repo_, {"commit", "-q", "--allow-empty", "-m", "two"}, date);
  const std::string base = Git(repo_, {"rev-parse", "HEAD"});
  GitFacts facts = ReadGit(repo_, Soon());
  EXPECT_EQ(facts.committed_at, (Timestamp{1'700'000'000'000'000}));
  EXPECT_EQ(facts.merge_base, base) << "HEAD is the tip of main";
  Git(repo_, {"checkout", "-q", "-b", "topic"});
  Git(repo_, {"commit", "-q", "--allow-empty", "-m", "three"});
  facts = ReadGit(repo_, Soon());
  EXPECT_EQ(facts.merge_base, base);
  EXPECT_EQ(facts.branch, "topic");
  EXPECT_EQ(facts.sha, Git(repo_, {"rev-parse", "HEAD"}));
  EXPECT_EQ(facts.tree, Git(repo_, {"rev-parse", "HEAD^{tree}"}));

  // What the remote has counts more than the user's own branch, and its HEAD more than a usual name.
  const std::string first = Git(repo_, {"rev-parse", "main^"}), here = Git(repo_, {"rev-parse", "HEAD"});
  Git(repo_, {"update-ref", "refs/remotes/origin/master", first});
  EXPECT_EQ(ReadGit(repo_, Soon()).merge_base, first);
  Git(repo_, {"update-ref", "refs/remotes/origin/main", base});
  EXPECT_EQ(ReadGit(repo_, Soon()).merge_base, base);
  Git(repo_, {"update-ref", "refs/remotes/origin/trunk", here});
  Git(repo_, {"symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk"});
  EXPECT_EQ(ReadGit(repo_, Soon()).merge_base, here);
  Git(repo_, {"symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/gone"});
  EXPECT_EQ(ReadGit(repo_, Soon()).merge_base, base) << "a branch that is gone";

  Git(repo_, {"checkout", "-q", "--orphan", "apart"});
  Git(repo_, {"commit", "-q", "--allow-empty", "-m", "apart"});
  facts = ReadGit(repo_, Soon());
  EXPECT_EQ(facts.merge_base, std::nullopt) << "nothing in common";
  EXPECT_EQ(facts.branch, "apart");
  for (const char* ref : {"refs/remotes/origin/HEAD", "refs/remotes/origin/trunk", "refs/remotes/origin/main",
                          "refs/remotes/origin/master", "refs/heads/main"}) {
    Git(repo_, {"update-ref", "--no-deref", "-d", ref});
  }
  EXPECT_EQ(ReadGit(repo_, Soon()).merge_base, std::nullopt) << "no default branch is known";
}

}  // namespace
}  // namespace flaky
