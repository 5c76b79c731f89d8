#ifndef FLAKY_RECORDER_CHILD_PROCESS_H_
#define FLAKY_RECORDER_CHILD_PROCESS_H_

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string_view>

#include "clock.h"
#include "fixed_text.h"

// Starts a program with its stderr in a pipe, and waits for it in bounded time, whatever the test program has done to
// signals, descriptors and children.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// A pipe whose ends are closed on exec and have numbers above 2.
class Pipe {
 public:
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      error_ = errno;
      return;
    }
    for (int at = 0; at < 2; ++at) {
      ends_[at] = ends[at] > STDERR_FILENO ? ends[at] : fcntl(ends[at], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
      if (ends_[at] < 0) error_ = errno;
      if (ends_[at] != ends[at]) close(ends[at]);
    }
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    CloseEnd(0);
    CloseEnd(1);
  }
  int error() const { return error_; }
  int reading() const { return ends_[0]; }
  int writing() const { return ends_[1]; }
  void CloseWriting() { CloseEnd(1); }

 private:
  void CloseEnd(int at) {
    if (ends_[at] >= 0) close(ends_[at]);
    ends_[at] = -1;
  }
  int ends_[2] = {-1, -1};
  int error_ = 0;
};

// Starts the program that `arguments` begins with, as if from a fresh shell: signals at their defaults, none blocked,
// and no descriptor of ours except for the pipe as stderr. Its working folder is `cwd`, or / if `cwd` does not exist.
// Returns an errno.
inline int StartProgram(char* const arguments[], char* const environment[], const Path& cwd, const Pipe& messages,
                        pid_t& child) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  if (int error = posix_spawn_file_actions_init(&actions); error != 0) return error;
  if (int error = posix_spawnattr_init(&attributes); error != 0) {
    posix_spawn_file_actions_destroy(&actions);
    return error;
  }
  struct stat status = {};
  const bool cwd_is_there = !cwd.empty() && stat(cwd.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  int error = 0;
  const auto keep = [&error](int result) {
    if (error == 0) error = result;
  };
  keep(posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0));
  keep(posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0));
  keep(posix_spawn_file_actions_adddup2(&actions, messages.writing(), STDERR_FILENO));
  keep(posix_spawn_file_actions_addchdir_np(&actions, cwd_is_there ? cwd.c_str() : "/"));
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
  keep(posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1));
#endif
  keep(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK));
  keep(posix_spawnattr_setsigdefault(&attributes, &all));
  keep(posix_spawnattr_setsigmask(&attributes, &none));
  if (error == 0) error = posix_spawn(&child, arguments[0], &actions, &attributes, arguments, environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

// The time that a delivery may take.
class Deadline {
 public:
  explicit Deadline(std::int64_t seconds) : end_ns_(AskKernel(CLOCK_MONOTONIC) + seconds * 1000000000) {}
  // Milliseconds, rounded up, at most `most`.
  int Remaining(int most) const {
    const std::int64_t left_ms = (end_ns_ - AskKernel(CLOCK_MONOTONIC) + 999999) / 1000000;
    return static_cast<int>(std::clamp<std::int64_t>(left_ms, 0, most));
  }

 private:
  std::int64_t end_ns_;
};

// Reads until all writers have closed the pipe or the deadline has passed. Stores the first line.
inline void ReadFirstLine(int fd, const Deadline& deadline, FixedText<512>& line) {
  bool in_first_line = true;
  for (;;) {
    const int wait_ms = deadline.Remaining(60000);
    if (wait_ms == 0) return;
    pollfd ready = {fd, POLLIN, 0};
    const int count = poll(&ready, 1, wait_ms);
    if (count == 0 || (count < 0 && errno == EINTR)) continue;
    if (count < 0) return;
    char buffer[4096];
    const ssize_t got = read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    const std::string_view text(buffer, static_cast<std::size_t>(got));
    if (in_first_line) line += text.substr(0, text.find('\n'));
    in_first_line = in_first_line && text.find('\n') == text.npos;
  }
}

enum class ChildEnd {
  kKnown,    // `status` is waitpid's
  kUnknown,  // it has ended, but its status is lost: the test program ignores SIGCHLD or reaps every child
  kRunning,
};

// Waits for the child until the deadline, in growing steps of 1 to 20 ms.
inline ChildEnd WaitForChild(pid_t child, const Deadline& deadline, int& status) {
  for (int step_ms = 1;; step_ms = std::min(step_ms * 2, 20)) {
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) return ChildEnd::kKnown;
    if (ended < 0 && errno != EINTR) return ChildEnd::kUnknown;
    const int wait_ms = deadline.Remaining(step_ms);
    if (wait_ms == 0) return ChildEnd::kRunning;
    poll(nullptr, 0, wait_ms);
  }
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_CHILD_PROCESS_H_
