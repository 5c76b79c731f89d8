// SPDX-License-Identifier: MIT
#ifndef FLAKY_DELIVERY_GIT_FACTS_H_
#define FLAKY_DELIVERY_GIT_FACTS_H_

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "history/time.h"

// What git says of a folder. The repository is searched here, by looking for `.git`; everything else is asked of the
// program `git`, which knows every form that refs, indexes and configurations have.
namespace flaky {

// Absent means not known: git is missing, failed, or did not answer in time.
struct GitFacts {
  std::optional<std::string> sha;          // of the commit checked out
  std::optional<std::string> tree;         // of that commit's tree
  std::optional<std::string> branch;       // absent also when HEAD is detached
  std::optional<Timestamp> committed_at;   // when the commit was made (the committer's date)
  std::optional<std::string> merge_base;   // the newest commit that it has in common with the default branch
  std::optional<std::string> edited_tree;  // if dirty: the id of the tree with the edits (delivery/edited_tree.h)
  std::optional<bool> dirty;  // tracked files differ from the commit. Untracked ones do not count: they are mostly
                              // output of builds and tests, and finding them means reading the whole tree
};

// Asks git for the facts of the working tree whose top folder is `top`. Returns by `deadline` with what is known by
// then. The default branch is that of the remote `origin`, as far as the repository knows it, else its `main` or
// `master`, else the branch `main` or `master`. Never throws for what git does or says, changes nothing in the
// repository, and never prompts for a password.
GitFacts ReadGit(const std::filesystem::path& top, std::chrono::steady_clock::time_point deadline);

// A commit that was asked for by a name.
struct NamedCommit {
  bool in_repository = false;     // git knows the folder as one of a repository
  std::optional<std::string> id;  // absent: the name is not that of a commit there
};

// Asks git which commit `revision` (HEAD, main~2, v1.0) is in the repository that `folder` is in.
NamedCommit FindCommit(const std::filesystem::path& folder, const std::string& revision,
                       std::chrono::steady_clock::time_point deadline);

// Returns when HEAD last moved, by a commit, checkout, reset, pull or rebase, or nullopt if that is unknown.
std::optional<Timestamp> HeadMovedAt(const std::filesystem::path& top);

}  // namespace flaky

#endif  // FLAKY_DELIVERY_GIT_FACTS_H_
