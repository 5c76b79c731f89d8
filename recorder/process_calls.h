// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_PROCESS_CALLS_H_
#define FLAKY_RECORDER_PROCESS_CALLS_H_

#include "system_calls.h"

// As system_calls.h: the calls about signals, descriptors and child processes.
#pragma GCC visibility push(hidden)
namespace flaky_recorder::sys {

// A set of signals as the kernel has it: bit N - 1 is signal N.
using Signals = std::uint64_t;
constexpr Signals SignalBit(int signal) { return Signals{1} << (signal - 1); }

// `how` is SIG_BLOCK, SIG_UNBLOCK or SIG_SETMASK; applies to this thread.
inline long ChangeMask(int how, Signals signals, Signals* before) {
  const long result = RawCall(SYS_rt_sigprocmask, how, Word(&signals), Word(before), sizeof signals);
  if (before != nullptr) NoteWritten(before, sizeof *before);
  return result;
}
inline long PendingSignals(Signals& signals) {
  const long result = RawCall(SYS_rt_sigpending, Word(&signals), sizeof signals);
  NoteWritten(&signals, sizeof signals);
  return result;
}
// Removes a pending signal of the set. Returns its number, or -EAGAIN at once if none is pending.
inline long TakeSignal(Signals signals) {
  const Time at_once = {0, 0};  // no time in either layout
  return RawCall(SYS_rt_sigtimedwait, Word(&signals), 0, Word(&at_once), sizeof signals);
}
// Resets the signal to its default action. A zeroed action is that with every processor's layout.
inline long ResetSignal(int signal) {
  const long action[16] = {};
  return RawCall(SYS_rt_sigaction, signal, Word(action), 0, sizeof(Signals));
}
// Returns true if the signal is ignored.
inline bool IsIgnored(int signal) {
  long action[16] = {};
  const long result = RawCall(SYS_rt_sigaction, signal, 0, Word(action), sizeof(Signals));
  NoteWritten(action, sizeof action);
  return result == 0 && action[0] == Word(reinterpret_cast<const void*>(SIG_IGN));
}
inline long Kill(pid_t pid, int signal) { return RawCall(SYS_kill, pid, signal); }

// Waits for the child. With __WALL or __WCLONE also for one whose exit signal is not SIGCHLD.
inline long Wait(pid_t child, int& status, int options) {
  const long result = RawCall(SYS_wait4, child, Word(&status), options, 0);
  NoteWritten(&status, sizeof status);
  return result;
}
// As waitid(). `info` may be null.
inline long WaitId(int type, int id, siginfo_t* info, int options) {
  const long result = RawCall(SYS_waitid, type, id, Word(info), options, 0);
  if (info != nullptr) NoteWritten(info, sizeof *info);
  return result;
}

// A descriptor to wait for, as `pollfd` in <poll.h>. A project may have a header of that name.
struct Watched {
  int descriptor;
  short events, found;
};
inline constexpr short kReadable = 1, kWritable = 4;

// Waits up to `wait_ms` milliseconds; a negative number waits without end.
inline long Poll(Watched* files, std::size_t count, int wait_ms) {
#if defined(__LP64__) || !defined(SYS_ppoll_time64)
  struct {
    long seconds, nanoseconds;
  } time = {wait_ms / 1000, wait_ms % 1000 * 1000000L};
  const long number = SYS_ppoll;
#else
  Time time = {wait_ms / 1000, wait_ms % 1000 * 1000000};
  const long number = SYS_ppoll_time64;
#endif
  const long result =
      RawCall(number, Word(files), static_cast<long>(count), wait_ms < 0 ? 0 : Word(&time), 0, sizeof(Signals));
  if (result >= 0 && files != nullptr) NoteWritten(files, count * sizeof *files);
  return result;
}

inline long MakePipe(int (&ends)[2], int flags) {
  const long result = RawCall(SYS_pipe2, Word(ends), flags);
  NoteWritten(ends, sizeof ends);
  return result;
}
inline long Duplicate(int from, int to, int flags) { return RawCall(SYS_dup3, from, to, flags); }
// Duplicates to the lowest free number from `least` on, closed on exec.
inline long DuplicateAbove(int fd, int least) {
#if defined(SYS_fcntl64)
  return RawCall(SYS_fcntl64, fd, F_DUPFD_CLOEXEC, least);
#else
  return RawCall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, least);
#endif
}
// Closes every descriptor from `first` on. Needs Linux 5.9.
inline long CloseFrom(unsigned first) {
  constexpr long kCloseRange = 436;  // the same on every processor
  return RawCall(kCloseRange, static_cast<long>(first), static_cast<long>(~0U), 0);
}
inline long NewSession() { return RawCall(SYS_setsid); }

// Forks as clone(`flags`) does, without a stack: returns twice, in the child with 0. `flags` must not contain CLONE_VM.
inline long Fork(unsigned long flags) { return RawCall(SYS_clone, static_cast<long>(flags)); }
inline long Execute(const char* program, char* const arguments[], char* const environment[]) {
  return RawCall(SYS_execve, Word(program), Word(arguments), Word(environment));
}
[[noreturn]] inline void ExitGroup(int status) {
  for (;;) RawCall(SYS_exit_group, status);
}

}  // namespace flaky_recorder::sys
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_PROCESS_CALLS_H_
