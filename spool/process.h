#ifndef FLAKY_SPOOL_PROCESS_H_
#define FLAKY_SPOOL_PROCESS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The identity of a process, and whether it still runs.
namespace flaky {

// A process, by what makes a pid mean something. Empty: not known.
struct ProcessId {
  int64_t pid = 0;
  std::string pid_start;  // in clock ticks since boot: when it started, or, of a journal's writer, ran already
  std::string boot_id, host, pid_ns;
  std::string output_base = {};  // of the Bazel that started it, perhaps in a name space of its own
};

// Whether the process that began the journal or group still runs, judged as the format's last section says.
enum class Alive { kYes, kNo, kCannotTell };
Alive IsAlive(const ProcessId& writer);

// A process of this machine in the same words: the one of this pid, this one, its parent, and the one that `PID-START`
// names; absent for any other text.
ProcessId ProcessHere(int64_t pid);
ProcessId ThisProcess();
ProcessId ParentProcess();
std::optional<ProcessId> ProcessHereNamed(std::string_view pid_and_start);

}  // namespace flaky

#endif  // FLAKY_SPOOL_PROCESS_H_
