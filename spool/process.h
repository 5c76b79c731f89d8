// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_PROCESS_H_
#define FLAKY_SPOOL_PROCESS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The identity of a process, and whether it still runs.
namespace flaky {

// Identifies a process: its pid, and what makes the pid unique. Empty texts are unknown.
struct ProcessId {
  int64_t pid = 0;
  std::string pid_start;  // in clock ticks since boot: when it started or, for a journal's writer, was already running
  std::string boot_id, host, pid_ns;
  std::string output_base = {};  // of the Bazel that started it, perhaps in a separate namespace
};

// Returns whether the process that began a journal or group is still running. The rules are in the last section of
// docs/reference/journal.md.
enum class Alive { kYes, kNo, kCannotTell };
Alive IsAlive(const ProcessId& writer);

// Returns the same for the process that began a journal, given the open file (for reading) of the journal. If the
// identity of the process does not tell, this asks the kernel whether a process of this machine can still write to the
// file.
Alive IsWriterAlive(const ProcessId& writer, int file);

// Return the identity of a process of this machine: of the process with this pid, of this process, and of the process
// that the text `PID-START` names (nullopt for any other text).
ProcessId ProcessHere(int64_t pid);
ProcessId ThisProcess();
std::optional<ProcessId> ProcessHereNamed(std::string_view pid_and_start);

}  // namespace flaky

#endif  // FLAKY_SPOOL_PROCESS_H_
