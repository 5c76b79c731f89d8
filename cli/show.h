// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_SHOW_H_
#define FLAKY_CLI_SHOW_H_

#include <string>

#include "cli/find_run.h"
#include "cli/judged_history.h"
#include "cli/session.h"
#include "stores/store.h"

// What `flaky show` prints for each kind of argument.
namespace flaky {

// Shows the run that is chosen with its parts and failures, and who was at fault for each.
void ShowRun(Session& session, Store& store, const RunChoice& choice, const JudgeRequest& request);

struct CommitChoice {
  std::string commit = {};  // the beginning of its id
  JudgeRequest request = {};
  bool json = false;
};

// Shows the runs of a commit, and the tests that failed in them. Returns false if the history has no such commit.
bool ShowCommit(Session& session, Store& store, const CommitChoice& choice);

struct TestChoice {
  std::string test = {};  // a name, or a pattern that one test matches
  JudgeRequest request = {};
  bool explain = false;
  bool json = false;
};

// Shows what is known of a test. Throws CommandError if no test or several are named.
void ShowTest(Session& session, Store& store, const TestChoice& choice);

}  // namespace flaky

#endif  // FLAKY_CLI_SHOW_H_
