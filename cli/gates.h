// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_GATES_H_
#define FLAKY_CLI_GATES_H_

#include <string>
#include <vector>

#include "cli/judged_history.h"
#include "cli/session.h"

// The two gates of `flaky check`. Each prints what it found and sets the exit code.
namespace flaky {

struct HistoryGate {
  JudgeRequest request = {};
  std::vector<std::string> fail_on = {};  // words of verdicts; empty: nothing fails
  bool json = false;
};

// Fails if a test has one of these verdicts and failed on the default branch by itself.
void CheckHistory(Session& session, const HistoryGate& gate);

struct RunGate {
  JudgeRequest request = {};
  std::string run = {};  // RunChoice::run
  bool json = false;
};

// Fails unless each failure of the run is the fault of the test or the machine.
void CheckRun(Session& session, const RunGate& gate);

}  // namespace flaky

#endif  // FLAKY_CLI_GATES_H_
