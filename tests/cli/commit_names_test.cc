// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <cstdlib>

#include "tests/cli/program_fixture.h"

// `--commit` with the names that git knows.
namespace flaky {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class CommitNamesTest : public ProgramTest {
 protected:
  void Git(const std::string& arguments) const {
    const std::string command =
        "git -c user.name=T -c user.email=t@example.com " + arguments + " > '" + Path("git.txt") + "' 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0) << command << Content(Path("git.txt"));
  }
  std::string Head() const {
    Git("rev-parse HEAD");
    return Lines(Content(Path("git.txt"))).at(0);
  }
  void KeepRunOf(const std::string& name, const std::string& commit) {
    RunRecord record = BuildRecord(name).Project("demo").Ended(At(9)).Build();
    record.run.git_sha = commit;
    Keep({record});
  }
};

TEST_F(CommitNamesTest, AreResolvedByGit) {
  Git("init -b main .");
  Git("commit --allow-empty -m first");
  KeepRunOf("first", Head());
  Git("tag v1");
  Git("commit --allow-empty -m second");
  KeepRunOf("second", Head());
  for (const std::string name : {"HEAD", "main", "@"}) {
    EXPECT_THAT(Run({"runs", "--commit", name}).out, AllOf(HasSubstr("second"), Not(HasSubstr("first")))) << name;
  }
  for (const std::string name : {"HEAD~1", "v1", "main^"}) {
    EXPECT_THAT(Run({"runs", "--commit", name}).out, AllOf(HasSubstr("first"), Not(HasSubstr("second")))) << name;
  }
  EXPECT_THAT(Run({"show", "latest", "--commit", "v1"}).out, HasSubstr("first"));
  EXPECT_THAT(Run({"runs", "--commit", Head().substr(0, 7)}).out, HasSubstr("second")) << "no name";

  const Outcome unknown = Run({"runs", "--commit", "no/such"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("`no/such` names no commit of the repository here"));
  EXPECT_EQ(Run({"runs", "--commit", "--help-me"}).code, 2);
}

TEST_F(CommitNamesTest, NeedARepository) {
  KeepRunOf("first", "0123456789");
  Set("GIT_CEILING_DIRECTORIES", Path(""));
  for (const std::string command : {"runs", "check", "trend"}) {
    const Outcome outcome = Run({command, "--commit", "HEAD"});
    EXPECT_EQ(outcome.code, 2) << command;
    EXPECT_THAT(outcome.err, HasSubstr("`HEAD` can only be resolved in a git repository")) << command;
  }
  EXPECT_THAT(Run({"runs", "--commit", "0123"}).out, HasSubstr("first")) << "the beginning of an id needs none";
}

}  // namespace
}  // namespace flaky
