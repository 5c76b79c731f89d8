// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_CHILD_PROCESS_H_
#define FLAKY_RECORDER_CHILD_PROCESS_H_

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "first_line.h"
#include "fixed_text.h"
#include "process_calls.h"

// Starts a program that the test program cannot notice, whatever the test program has done to signals, descriptors and
// children.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// A program to start, as from a fresh shell: signals at their defaults, none blocked, its own session, and no
// descriptor of ours but the two named here. Everything is prepared in advance, because the new process shares our
// memory until it calls execve, and must only make raw calls.
struct Launch {
  char* const* arguments = nullptr;
  char* const* environment = nullptr;
  const char* folder = "/";      // if it does not exist: /
  int messages = -1;             // becomes stderr; -1: /dev/null
  int kept = -1;                 // becomes descriptor 3, and must be above 3; -1: none
  std::int64_t seconds = 0;      // after which the kernel ends the program with SIGALRM; 0: never
  bool in_valgrind = false;      // which reports leaks of every process that exits, but not of one that is killed
  std::int64_t patience_ms = 0;  // for which StartProgram waits for the program's end

  // Filled in by StartProgram.
  void* inner_stack = nullptr;
  bool stays = false;      // the process in between stays as long as the program
  long timer[4] = {};      // struct itimerval as the kernel has it
  bool is_killed = false;  // and is then killed
  pid_t in_between = 0;    // of a process in between that stays
};

// These run in processes that share our memory and do not return: a sanitizer must not keep account of their frames.
#if defined(__clang__)
#define FLAKY_RECORDER_UNCHECKED __attribute__((noinline, no_sanitize("address", "thread", "memory", "undefined")))
#else
#define FLAKY_RECORDER_UNCHECKED __attribute__((noinline, no_sanitize("address", "thread", "undefined")))
#endif

// The first byte of what a process writes to the messages that could not become the program. An errno follows.
inline constexpr char kNotStarted = '\1';

inline void TellNotStarted(int messages, long error) {
  char text[24] = {kNotStarted};
  char* end = AppendNumber(text + 1, -error);
  *end++ = '\n';
  if (messages >= 0) sys::Write(messages, text, static_cast<std::size_t>(end - text));
}

// Makes `fd` a descriptor of /dev/null; closes it if that is impossible.
inline void OpenNull(int fd, int flags) {
  const long null = sys::Open("/dev/null", flags);
  if (null == fd) return;
  if (null < 0 || sys::Duplicate(static_cast<int>(null), fd, 0) < 0) sys::Close(fd);
  if (null >= 0) sys::Close(static_cast<int>(null));
}

inline void CloseAllFrom(int first) {
  if (sys::CloseFrom(static_cast<unsigned>(first)) != -ENOSYS) return;
  constexpr std::int64_t kMost = 65536;
  const int end = static_cast<int>(std::clamp<std::int64_t>(sys::LimitOf(RLIMIT_NOFILE), 0, kMost));
  for (int fd = first; fd < end; ++fd) sys::Close(fd);
}

FLAKY_RECORDER_UNCHECKED inline int BecomeProgram(void* argument) {
  const Launch& launch = *static_cast<const Launch*>(argument);
  constexpr int kSignals = 64;
  for (int signal = 1; signal <= kSignals; ++signal) sys::ResetSignal(signal);
  sys::NewSession();
  OpenNull(0, O_RDONLY);
  OpenNull(1, O_WRONLY);
  if (launch.messages < 0) OpenNull(2, O_WRONLY);
  if (launch.messages >= 0) sys::Duplicate(launch.messages, 2, 0);
  if (launch.kept >= 0) sys::Duplicate(launch.kept, 3, 0);
  CloseAllFrom(launch.kept >= 0 ? 4 : 3);
  if (sys::ChangeFolder(launch.folder) < 0) sys::ChangeFolder("/");
  if (launch.seconds > 0) RawCall(SYS_setitimer, ITIMER_REAL, Word(launch.timer), 0);
  sys::ChangeMask(SIG_SETMASK, 0, nullptr);
  const long error = sys::Execute(launch.arguments[0], launch.arguments, launch.environment);
  TellNotStarted(launch.messages < 0 ? -1 : 2, error);
  return 127;
}

// The process in between. It stays for as long as the program may be reaped soon: an orphan that ends would stay as a
// zombie where process 1 waits for no children, as in many containers.
FLAKY_RECORDER_UNCHECKED inline int StartAndLeave(void* argument) {
  const Launch& launch = *static_cast<const Launch*>(argument);
  sys::NewSession();
  const long program = CloneOnStack(CLONE_VM | CLONE_VFORK | SIGCHLD, launch.inner_stack, BecomeProgram, argument);
  if (program < 0) TellNotStarted(launch.messages, program);
  if (program <= 0) return 0;
  if (launch.messages >= 0) sys::Close(launch.messages);
  if (launch.is_killed) RawCall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  AwaitEnd(static_cast<pid_t>(program), launch.stays ? kNever : launch.patience_ms, launch.in_valgrind);
  while (launch.is_killed) sys::Poll(nullptr, 0, -1);
  return 0;
}

// Returns true if orphans become children of this process.
inline bool AdoptsOrphans() {
  int adopts = 0;
  RawCall(SYS_prctl, PR_GET_CHILD_SUBREAPER, Word(&adopts));
  NoteWritten(&adopts, sizeof adopts);
  return adopts != 0 || sys::GetPid() == 1;
}

// Ends the process in between if it must not exit. Otherwise waits a moment for its end.
inline void LeaveInBetween(const Launch& launch, std::int64_t milliseconds) {
  if (launch.in_between <= 0) return;
  if (launch.is_killed) sys::Kill(launch.in_between, SIGKILL);
  AwaitEnd(launch.in_between, launch.is_killed ? kNever : milliseconds, launch.in_valgrind);
}

enum class Parent {
  kNobody,  // it is an orphan, and so the child of init
  kOurs,    // the parent of this process
};

// Starts the program and returns an errno; that of execve arrives in `messages`. This process does not become its
// parent: no SIGCHLD is sent, no wait finds it, and it leaves no zombie. For that, a process in between starts it and
// ends after at most patience_ms. execve gives every process the exit signal SIGCHLD, so the process in between must
// not call it; it has no exit signal, which hides it from all waits but ours. If this process is the one that
// adopts orphans, the process in between stays as long as the program.
inline int StartProgram(Launch& launch, Parent parent) {
  constexpr std::size_t kStack = 16384;
  // No page is copied: a test program may have gigabytes of memory.
  constexpr unsigned long kShared = CLONE_VM | CLONE_VFORK;
  launch.timer[2] = static_cast<long>(launch.seconds);
  long error = 0;
  char* const stacks =
      static_cast<char*>(sys::Map(2 * kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, error));
  if (stacks == nullptr) return static_cast<int>(-error);
  launch.inner_stack = stacks + 2 * kStack;
  void* const outer_stack = stacks + kStack;

  // A handler of the test program must not run in a process that shares its memory.
  sys::Signals before = 0;
  sys::ChangeMask(SIG_SETMASK, ~sys::Signals{0}, &before);
  long child = 0;
  if (parent == Parent::kOurs) {
    child = CloneOnStack(kShared | CLONE_PARENT, outer_stack, BecomeProgram, &launch);
  } else {
    const bool adopts = AdoptsOrphans();
    launch.is_killed = launch.in_valgrind && !adopts;
    launch.stays = launch.in_valgrind || adopts;
    for (const unsigned long exit_signal : {0UL, 0UL + SIGCHLD}) {  // emulators know only the second
      if (!launch.stays) {
        child = CloneOnStack(kShared | exit_signal, outer_stack, StartAndLeave, &launch);
      } else if ((child = sys::Fork(exit_signal)) == 0) {
        sys::ExitGroup(StartAndLeave(&launch));
      }
      if (child != -EINVAL) break;
    }
    int status = 0;
    if (launch.stays && child > 0) launch.in_between = static_cast<pid_t>(child);
    while (!launch.stays && child > 0 && sys::Wait(static_cast<pid_t>(child), status, __WALL) == -EINTR) {
    }
  }
  sys::ChangeMask(SIG_SETMASK, before, nullptr);
  sys::Unmap(stacks, 2 * kStack);
  return child < 0 ? static_cast<int>(-child) : 0;
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_CHILD_PROCESS_H_
