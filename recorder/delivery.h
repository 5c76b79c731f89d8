#ifndef FLAKY_RECORDER_DELIVERY_H_
#define FLAKY_RECORDER_DELIVERY_H_

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
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "clock.h"
#include "errors.h"
#include "fixed_text.h"
#include "settings.h"
#include "warning.h"

#ifndef FLAKY_RECORDER_PROGRAM
#define FLAKY_RECORDER_PROGRAM ""
#endif

// `flaky deliver --quiet`, started when the test program ends and waited for in bounded time.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// The environment as it was at the start of the test program: tests change theirs.
class EnvironmentCopy {
 public:
  // False when there is no memory.
  bool Take() {
    std::free(entries_);
    std::size_t count = 1, bytes = 0;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry, ++count)
      bytes += std::strlen(*entry) + 1;
    entries_ = static_cast<char**>(std::malloc(count * sizeof(char*) + bytes));
    if (entries_ == nullptr) return false;
    char* text = reinterpret_cast<char*>(entries_ + count);
    for (std::size_t at = 0; at + 1 < count; ++at) {
      const std::size_t size = std::strlen(environ[at]) + 1;
      entries_[at] = static_cast<char*>(std::memcpy(text, environ[at], size));
      text += size;
    }
    entries_[count - 1] = nullptr;
    return true;
  }

  char** entries() const { return entries_; }

  std::string_view Get(std::string_view name) const {
    for (char** entry = entries_; entry != nullptr && *entry != nullptr; ++entry) {
      const std::string_view text(*entry);
      if (text.size() > name.size() && text[name.size()] == '=' && text.substr(0, name.size()) == name) {
        return text.substr(name.size() + 1);
      }
    }
    return {};
  }

 private:
  char** entries_ = nullptr;
};

// What must be remembered from the program's start until the delivery at its end.
struct DeliveryPlan {
  EnvironmentCopy environment;
  Path cwd;
  Path spool;
  std::int64_t timeout_s = 0;
};

inline bool IsProgram(const char* path) {
  struct stat status = {};
  return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

// Looks `name` up in the folders of `search`, which a colon separates. Relative folders are those of `cwd`.
inline bool FindInPath(std::string_view name, std::string_view search, const Path& cwd, Path& program) {
  while (!search.empty()) {
    const std::string_view folder = search.substr(0, search.find(':'));
    search.remove_prefix(std::min(search.size(), folder.size() + 1));
    program.Clear();
    if (folder.empty() || folder[0] != '/') (program += cwd.view()) += "/";
    ((program += folder) += "/") += name;
    if (program.complete() && IsProgram(program.c_str())) return true;
  }
  return false;
}

// The program to start: what the user set and nothing else; else the one that this was built for; else `flaky` in
// PATH. False, with a warning, where there is none.
inline bool FindProgram(const DeliveryPlan& plan, Path& program, Warning& warning) {
  const std::string_view search = plan.environment.Get("PATH");
  if (const std::string_view set = plan.environment.Get(kProgram.name); !set.empty()) {
    if (set.find('/') == set.npos) {
      if (FindInPath(set, search, plan.cwd, program)) return true;
    } else {
      program.Clear();
      if (set[0] != '/') (program += plan.cwd.view()) += "/";
      program += set;
      if (program.complete() && IsProgram(program.c_str())) return true;
    }
    warning.Add({"FLAKY_TESTS_PROGRAM is \"", set, "\", which is no program that can be started"});
    return false;
  }
  program.Clear();
  program += FLAKY_RECORDER_PROGRAM;
  if (!program.empty() && IsProgram(program.c_str())) return true;
  if (FindInPath("flaky", search, plan.cwd, program)) return true;
  warning.Add({"the program `flaky` was not found; put it into PATH or set FLAKY_TESTS_PROGRAM"});
  return false;
}

// A pipe whose ends are closed in programs that are started, and which are not 0, 1 or 2.
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

// Starts `program deliver --quiet` as if from a fresh shell: signals at their defaults, none blocked, no descriptor
// of ours but the pipe as stderr. Returns an errno.
inline int StartDelivery(const DeliveryPlan& plan, const Path& program, const Pipe& messages, pid_t& child) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  if (int error = posix_spawn_file_actions_init(&actions); error != 0) return error;
  if (int error = posix_spawnattr_init(&attributes); error != 0) {
    posix_spawn_file_actions_destroy(&actions);
    return error;
  }
  struct stat status = {};
  const bool cwd_is_there = !plan.cwd.empty() && stat(plan.cwd.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
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
  keep(posix_spawn_file_actions_addchdir_np(&actions, cwd_is_there ? plan.cwd.c_str() : "/"));
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
  keep(posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1));
#endif
  keep(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK));
  keep(posix_spawnattr_setsigdefault(&attributes, &all));
  keep(posix_spawnattr_setsigmask(&attributes, &none));
  if (error == 0) {
    char deliver[] = "deliver", quiet[] = "--quiet";
    char* const arguments[] = {const_cast<char*>(program.c_str()), deliver, quiet, nullptr};
    error = posix_spawn(&child, program.c_str(), &actions, &attributes, arguments, plan.environment.entries());
  }
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

// Reads until all writers have closed the pipe or the time is over, and keeps the first line.
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
  kKnown,    // `status` is what waitpid gave
  kUnknown,  // gone, but somebody else took its status: the program ignores SIGCHLD or reaps every child
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

// Delivers what is in the spool, within the plan's time. What went wrong is added to the warning; the journal then
// stays.
inline void Deliver(const DeliveryPlan& plan, Warning& warning) {
  const auto journal_stays = [&] {
    warning.Add({"what was recorded stays in ", plan.spool.view(), " until the next `flaky` command"});
  };
  Path program;
  if (!FindProgram(plan, program, warning)) return journal_stays();

  Pipe messages;
  pid_t child = -1;
  int error = messages.error();
  if (error == 0) error = StartDelivery(plan, program, messages, child);
  if (error != 0) {
    warning.Add({program.view(), " cannot be started: ", ErrorText(error)});
    return journal_stays();
  }
  messages.CloseWriting();

  const Deadline deadline(plan.timeout_s);
  FixedText<512> line;
  int status = 0;
  ReadFirstLine(messages.reading(), deadline, line);
  // A child that has closed its stderr may still be at work, and one that is gone may have left others that hold it
  // open.
  const ChildEnd end = WaitForChild(child, deadline, status);
  if (end == ChildEnd::kRunning) {
    kill(child, SIGKILL);
    WaitForChild(child, Deadline(1), status);
    char digits[20];
    warning.Add({"`flaky deliver` did not end within ", DecimalText(plan.timeout_s, digits),
                 " s (FLAKY_TESTS_DELIVERY_TIMEOUT)"});
    return journal_stays();
  }
  std::string_view said = line.view();
  if (constexpr std::string_view kOurs = "flaky: "; said.substr(0, kOurs.size()) == kOurs)
    said.remove_prefix(kOurs.size());
  if (!said.empty()) return warning.Add({said});
  if (end != ChildEnd::kKnown || status == 0) return;
  char digits[20];
  if (WIFSIGNALED(status)) {
    warning.Add({"`flaky deliver` was ended by signal ", DecimalText(WTERMSIG(status), digits)});
  } else {
    warning.Add({"`flaky deliver` ended with exit code ", DecimalText(WEXITSTATUS(status), digits)});
  }
  journal_stays();
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_DELIVERY_H_
