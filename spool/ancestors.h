// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_ANCESTORS_H_
#define FLAKY_SPOOL_ANCESTORS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spool/process.h"

// The processes above a process, and which of them is a ctest. The recorder looks in the same way
// (recorder/processes_above.h).
namespace flaky {

// The variable in which `flaky run` tells the processes under it which process it is: PID-START. None of them looks for
// a ctest above it.
inline constexpr char kRunProcess[] = "FLAKY_RUN_PROCESS";

struct Ancestor {
  int64_t pid = 0;
  std::string start;  // in clock ticks since boot
  std::string name;   // of its command
};

// Returns a process of this machine and its ancestors, the nearest first; at most 17 in all.
std::vector<Ancestor> LineOf(int64_t pid);

// Returns true if the process is a ctest, or a script of that name: its command is called `ctest` or, with a version,
// `ctest3`, or is a link to a file of that name.
bool IsCtest(const Ancestor& process);

// Returns the outermost ctest above this process, up to the process that `limit` names (PID-START; empty: none).
std::optional<ProcessId> CtestAbove(std::string_view limit);

}  // namespace flaky

#endif  // FLAKY_SPOOL_ANCESTORS_H_
