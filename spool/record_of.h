// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_RECORD_OF_H_
#define FLAKY_SPOOL_RECORD_OF_H_

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "history/run.h"
#include "spool/journal.h"
#include "spool/test_lists.h"

namespace flaky {

// What is known about the code and the machine when journals are delivered, for one working folder.
struct RunContext {
  std::optional<std::string> project;
  std::filesystem::path root;  // of the repository; empty: none. Source files inside are named relative to it
  std::optional<std::string> git_sha, tree_sha, branch, ci_url;
  std::optional<bool> git_dirty;
  std::optional<Timestamp> commit_at;
  std::optional<std::string> merge_base, edited_tree;
};

// Returns the record of the journals that are sealed as one part. Their order does not matter. Precondition: there is
// at least one journal. `lists`: of the spool in which the journals are; null: none.
RunRecord RecordOf(const std::string& run_id, const std::string& part_id, const std::vector<Journal>& journals,
                   const RunContext& context, TestLists* lists = nullptr);

}  // namespace flaky

#endif  // FLAKY_SPOOL_RECORD_OF_H_
