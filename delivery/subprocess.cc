// SPDX-License-Identifier: MIT
#include "delivery/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

namespace flaky {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// Returns a descriptor from which the text can be read, or -1.
int Readable(std::string_view text) {
  const int fd = memfd_create("input", MFD_CLOEXEC);
  if (fd < 0) return -1;
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    text.remove_prefix(static_cast<size_t>(written));
  }
  if (text.empty() && lseek(fd, 0, SEEK_SET) == 0) return fd;
  close(fd);
  return -1;
}

// Starts the command in a separate process group, with default signals. `in`: for its stdin; negative: /dev/null.
// Returns -1 if that is not possible.
pid_t Start(const std::vector<std::string>& arguments, const std::vector<std::string>& environment, int in, int out) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  if (in >= 0) {
    posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  pid_t pid = -1;
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(environment);
  const int error = posix_spawnp(&pid, argv[0], &files, &attributes, argv.data(), envp.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return error == 0 ? pid : -1;
}

// Reads to the end; false when the deadline or the limit came first.
bool ReadAll(int in, Clock::time_point deadline, size_t limit, std::string& text) {
  std::array<char, 4096> buffer;
  while (text.size() < limit) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    pollfd ready{in, POLLIN, 0};
    const int count = poll(&ready, 1, static_cast<int>(std::min<int64_t>(left.count(), 60'000)));
    if (count == 0 || (count < 0 && errno == EINTR)) continue;
    if (count < 0) return false;
    const ssize_t got = read(in, buffer.data(), std::min(buffer.size(), limit - text.size()));
    if (got == 0) return true;
    if (got < 0 && errno != EINTR) return false;
    if (got > 0) text.append(buffer.data(), static_cast<size_t>(got));
  }
  return false;
}

// Waits for the end of a child as waitpid does. Returns 0 when the deadline comes first. A kernel without pidfd_open is
// asked once in a millisecond.
pid_t WaitUntil(Clock::time_point deadline, pid_t pid, int& status) {
  const int end = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  pid_t ended = 0;
  while ((ended = waitpid(pid, &status, WNOHANG)) == 0 && Clock::now() < deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd ready{end, POLLIN, 0};
    poll(&ready, 1, end < 0 ? 1 : static_cast<int>(std::clamp<int64_t>(left.count(), 0, 60'000)));
  }
  if (end >= 0) close(end);
  return ended;
}

}  // namespace

std::vector<std::string> ThisEnvironment() {
  std::vector<std::string> environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) environment.emplace_back(*entry);
  return environment;
}

CommandOutput RunCommand(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                         Clock::time_point deadline, size_t limit, std::string_view input) {
  CommandOutput output;
  std::array<int, 2> ends{};
  const int in = input.empty() ? -1 : Readable(input);
  if (!input.empty() && in < 0) return output;
  if (Clock::now() >= deadline || pipe2(ends.data(), O_CLOEXEC) != 0) {
    if (in >= 0) close(in);
    return output;
  }
  const pid_t pid = Start(arguments, environment, in, ends[1]);
  close(ends[1]);
  if (in >= 0) close(in);
  const bool complete = pid > 0 && ReadAll(ends[0], deadline, limit, output.text);
  close(ends[0]);
  if (pid <= 0) return output;
  // One that closed its output has nothing more to tell, so its end is not waited for beyond the deadline either.
  int status = 0;
  pid_t ended = complete ? WaitUntil(deadline, pid, status) : 0;
  if (ended == 0) {
    kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
  }
  output.succeeded = ended == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return output;
}

}  // namespace flaky
