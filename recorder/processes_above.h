// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_PROCESSES_ABOVE_H_
#define FLAKY_RECORDER_PROCESSES_ABOVE_H_

#include <charconv>
#include <cstdint>
#include <string_view>

#include "process_facts.h"
#include "system_calls.h"

// Which ctest and which `flaky run` this process belongs to, at any depth. The program looks in the same way
// (spool/ancestors.h).
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Returns true for a file or command called `ctest`, perhaps with a version: `ctest3`, `ctest-3.28`.
inline bool IsCtestName(std::string_view name) {
  constexpr std::string_view kName = "ctest";
  return name.substr(0, kName.size()) == kName && name.find_first_not_of("0123456789.-_", kName.size()) == name.npos;
}

// Returns true if the process is a ctest, or a script of that name. Its command may also be a link to ctest with a name
// such as `my-ctest`.
inline bool IsCtest(const ProcessIdentity& process) {
  if (process.name.view().find("ctest") == std::string_view::npos) return false;
  if (IsCtestName(process.name.view())) return true;
  char target[1024];
  const long size = sys::ReadLink(ProcPath(process.pid, "/exe").c_str(), target, sizeof target);
  if (size <= 0 || size == sizeof target) return false;
  std::string_view file(target, static_cast<std::size_t>(size));
  file.remove_prefix(file.rfind('/') + 1);
  return IsCtestName(file.substr(0, file.find(' ')));  // " (deleted)"
}

// Returns true if `text`, a `PID-START`, names this ancestor. In another time name space its start looks different, so
// only the number is compared: no other ancestor can have it.
inline bool IsNamed(const ProcessIdentity& ancestor, std::string_view text) {
  std::int64_t pid = 0;
  const char* const end = text.data() + text.size();
  const auto dash = std::from_chars(text.data(), end, pid).ptr;
  return dash != end && *dash == '-' && pid == ancestor.pid;
}

// The processes above this one that matter. A pid is 0 if there is no such process.
struct ProcessesAbove {
  // The outermost ctest, because that is what the user started: the tests may be started by shells, launchers and other
  // ctests.
  ProcessIdentity ctest;
  // The `flaky run` whose environment did not reach this process, as under `env -i`.
  ProcessIdentity missed_run;

  // `run`: which `flaky run` this process is under, as its environment says (PID-START). Looks no further than at the
  // nearest `flaky run`, and at a few ancestors.
  void Find(const ProcessIdentity& parent, std::string_view run) {
    constexpr int kMostAncestors = 16;
    ProcessIdentity ancestor = parent;
    for (int count = 0; count < kMostAncestors; ++count) {
      if (ancestor.start == 0 || IsNamed(ancestor, run)) return;
      if (run.empty() && ancestor.name.view() == "flaky") {
        missed_run = ancestor;
        return;
      }
      if (IsCtest(ancestor)) ctest = ancestor;
      const std::int64_t next = ancestor.parent;
      if (next <= 0) return;
      ancestor = {};
      ancestor.Read(next, ProcPath(next, "/stat").c_str());
    }
  }
};

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_PROCESSES_ABOVE_H_
