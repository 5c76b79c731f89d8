// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_PROCESS_FACTS_H_
#define FLAKY_RECORDER_PROCESS_FACTS_H_

#include <time.h>

#include <charconv>
#include <cstdint>
#include <string_view>

#include "arguments.h"
#include "clock.h"
#include "fixed_text.h"
#include "kernel_values.h"
#include "system_calls.h"

// Facts about this process, its parent and its machine. Unknown facts are empty or 0.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Reads a small file of /proc, up to the capacity of `text`.
template <std::size_t kCapacity>
void ReadSmallFile(const char* path, FixedText<kCapacity>& text) {
  text.Clear();
  const long fd = sys::Open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  // /proc gives all of such a file in one piece.
  text.Fill([fd](char* out, std::size_t size) { return sys::Read(static_cast<int>(fd), out, size); });
  sys::Close(static_cast<int>(fd));
}

struct ProcessIdentity {
  std::int64_t pid = 0;
  std::int64_t start = 0;   // clock ticks since boot
  std::int64_t parent = 0;  // 0: none that can be seen from this pid name space
  FixedText<64> name;

  // Reads name, parent and start from /proc/PID/stat. The name is in parentheses and may contain any character, even
  // parentheses.
  void Read(std::int64_t of_pid, const char* path) {
    pid = of_pid;
    FixedText<512> stat;  // a process has 52 numbers of at most 20 digits, and the first 22 suffice
    ReadSmallFile(path, stat);
    std::string_view rest = stat.view();
    const std::size_t open_at = rest.find('('), close_at = rest.rfind(')');
    if (open_at == rest.npos || close_at == rest.npos || close_at < open_at) return;
    name += rest.substr(open_at + 1, close_at - open_at - 1);
    rest.remove_prefix(close_at + 1);
    // The name is field 2, the parent field 4, the start field 22.
    for (int field = 3; field <= 22; ++field) {
      const std::size_t space = rest.find(' ');
      if (space == rest.npos) return;
      rest.remove_prefix(space + 1);
      if (field == 4) std::from_chars(rest.data(), rest.data() + rest.size(), parent);
    }
    std::from_chars(rest.data(), rest.data() + rest.size(), start);
  }
};

inline FixedText<64> ProcPath(std::int64_t pid, std::string_view file) {
  char digits[64];
  FixedText<64> path;
  path += "/proc/";
  path += std::string_view(digits, static_cast<std::size_t>(AppendNumber(digits, pid) - digits));
  path += file;
  return path;
}

// Returns the target of a link in /proc, or an empty text if it cannot be read.
inline FixedText<64> ReadLink(const char* path) {
  FixedText<64> text;
  text.Fill([path](char* out, std::size_t size) { return sys::ReadLink(path, out, size); });
  return text;
}

// Returns the number in `pid:[4026531836]`, or 0.
inline std::int64_t NamespaceOf(std::string_view link) {
  std::int64_t number = 0;
  constexpr std::string_view kBefore = "pid:[";
  if (link.substr(0, kBefore.size()) != kBefore) return 0;
  std::from_chars(link.data() + kBefore.size(), link.data() + link.size(), number);
  return number;
}

// Returns true if /proc shows the process ids of our own pid name space. It may be mounted from another one.
inline bool ProcIsOurs(std::int64_t pid) {
  char digits[20];
  return ReadLink("/proc/self").view() == DecimalText(pid, digits);
}

// The kernel creates a process's folder in /proc, and each file in it, on the first access, and removes them when the
// process ends. That costs more than everything else here, so /proc/self/ is avoided. This process is identified by its
// pid and a time at which it had that pid. Its pid name space is read from the parent's folder, which many children
// share.
struct ProcessFacts {
  std::int64_t pid = 0;
  std::int64_t pid_seen = 0;  // when, in clock ticks since boot
  ProcessIdentity parent;
  FixedText<64> boot_id;
  std::int64_t pid_namespace = 0;
  FixedText<72> host;
  FixedText<256> system;
  std::string_view arguments;  // each followed by NUL; not all of them if the command line is very long

  // Called again in a process that this one has forked, it reads only what differs there. The child belongs to the
  // same ctest as this process, and has its arguments.
  void Read(const KernelValues& kernel) {
    const std::int64_t known_pid = pid;
    pid = sys::GetPid();
    pid_seen = AskKernel(CLOCK_BOOTTIME) / (1000000000 / kernel.ticks_per_second);
    if (known_pid != 0) {
      if (known_pid != pid) pid_namespace = NamespaceOf(ReadLink("/proc/self/ns/pid").view());
      return;
    }
    const std::int64_t parent_pid = sys::GetParentPid();
    if (parent_pid > 0 && ProcIsOurs(pid)) {  // 0: the parent is outside of this pid name space
      parent.Read(parent_pid, ProcPath(parent_pid, "/stat").c_str());
      // A parent that we can see is in the same name space.
      pid_namespace = NamespaceOf(ReadLink(ProcPath(parent_pid, "/ns/pid").c_str()).view());
    }
    // The parent may belong to another user, so that its link cannot be read.
    if (pid_namespace == 0) pid_namespace = NamespaceOf(ReadLink("/proc/self/ns/pid").view());
    FixedText<64> line;
    ReadSmallFile("/proc/sys/kernel/random/boot_id", line);
    boot_id += line.view().substr(0, line.view().find('\n'));
    utsname name = {};
    if (sys::Uname(name) == 0) {
      host += name.nodename;
      ((((system += name.sysname) += " ") += name.release) += " ") += name.machine;
    }
    arguments = CommandLine();
  }
};

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_PROCESS_FACTS_H_
