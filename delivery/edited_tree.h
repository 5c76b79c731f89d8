// SPDX-License-Identifier: MIT
#ifndef FLAKY_DELIVERY_EDITED_TREE_H_
#define FLAKY_DELIVERY_EDITED_TREE_H_

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace flaky {

// Returns git's id of the tree that a commit of everything in the working tree `top` would have: of changed, new and
// removed files, except for ignored ones. So the same edit has the same id, and the commit of the edit has it too.
//
// Writes nothing into the repository: a copy of its `index` and the objects of trees are written to a folder of ours,
// which is removed. Starts no filter. Returns nullopt if the id is not known by the deadline: also if one of the files
// passes through a filter, if a submodule has changed files, if there is a repository in the working tree that git does
// not track, or if the edited and new files are too many or too large.
std::optional<std::string> EditedTree(const std::filesystem::path& top, const std::filesystem::path& index,
                                      std::chrono::steady_clock::time_point deadline);

}  // namespace flaky

#endif  // FLAKY_DELIVERY_EDITED_TREE_H_
