// SPDX-License-Identifier: MIT
#ifndef FLAKY_HISTORY_EARLY_END_H_
#define FLAKY_HISTORY_EARLY_END_H_

#include <optional>
#include <string>
#include <vector>

namespace flaky {

// What is known about a process, or its recording, that ended early although no test is known to have failed because of
// that. The test that was running neither passed nor failed.
struct EarlyEnd {
  enum class Cause {
    kInterrupted,  // the process was ended from outside: Ctrl-C, a cancelled job
    kNotKnown,     // what ended the process is unknown
    kUnrecorded,   // the rest of the results could not be recorded
  };
  Cause cause = Cause::kNotKnown;
  std::string test;     // that was running, `Suite.Test`; empty: none, the process was between tests
  std::string program;  // the program's file name
  std::optional<std::string>
      detail;  // kUnrecorded: how much and why, a phrase; else the signal, "SIGINT"; absent: not known

  auto operator<=>(const EarlyEnd&) const = default;
};

// Returns the value of the column parts.ended_early, a JSON list of objects (docs/reference/data-model.md). Returns
// nullopt for an empty list. The order of `ends` does not matter.
std::optional<std::string> EarlyEndsText(std::vector<EarlyEnd> ends);

}  // namespace flaky

#endif  // FLAKY_HISTORY_EARLY_END_H_
