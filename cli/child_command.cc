// SPDX-License-Identifier: MIT
#include "cli/child_command.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iterator>

#include "cli/exit_code.h"
#include "spool/command_journal.h"
#include "spool/death_watch.h"

namespace flaky {
namespace {

constexpr int kPassedOn[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

// Used if the kernel cannot create a descriptor for signals.
constexpr std::chrono::milliseconds kLookAgain{1'000};

sigset_t WaitedFor() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : kPassedOn) sigaddset(&signals, signal);
  sigaddset(&signals, SIGCHLD);
  return signals;
}

// This program ignores SIGPIPE, and must not ignore SIGCHLD.
constexpr int kChanged[] = {SIGPIPE, SIGCHLD};
bool was_ignored[std::size(kChanged)];

sigset_t mask_before;

[[noreturn]] void Execute(const std::vector<std::string>& arguments,
                          const std::vector<std::pair<std::string, std::string>>& environment, int problem) {
  for (size_t at = 0; at < std::size(kChanged); ++at) std::signal(kChanged[at], was_ignored[at] ? SIG_IGN : SIG_DFL);
  sigprocmask(SIG_SETMASK, &mask_before, nullptr);
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  const int error = errno;
  [[maybe_unused]] const ssize_t ignored = ::write(problem, &error, sizeof error);
  ::_exit(127);
}

}  // namespace

void KeepInheritedSignals() {
  for (size_t at = 0; at < std::size(kChanged); ++at) {
    struct sigaction action {};
    was_ignored[at] = sigaction(kChanged[at], nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
  }
}

ChildCommand::ChildCommand(const std::vector<std::string>& arguments,
                           const std::vector<std::pair<std::string, std::string>>& environment) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw CommandError(ExitCode::kUsage, std::string("run: cannot create a pipe: ") + std::strerror(errno));
  }
  std::signal(SIGCHLD, SIG_DFL);  // if it is ignored, waitpid cannot report how a child ended
  const sigset_t waited_for = WaitedFor();
  sigprocmask(SIG_BLOCK, &waited_for, &mask_before);
  pid_ = ::fork();
  if (pid_ == 0) Execute(arguments, environment, ends[1]);
  int error = pid_ < 0 ? errno : 0;
  ::close(ends[1]);
  while (pid_ > 0 && ::read(ends[0], &error, sizeof error) < 0 && errno == EINTR) {
  }
  ::close(ends[0]);
  if (error == 0) return;
  if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
  sigprocmask(SIG_SETMASK, &mask_before, nullptr);
  constexpr int kNotThere = 127, kNoProgram = 126;
  throw CommandError(static_cast<ExitCode>(error == ENOENT ? kNotThere : kNoProgram),
                     "run: cannot start `" + arguments.front() + "`: " + std::strerror(error));
}

ChildCommand::~ChildCommand() { sigprocmask(SIG_SETMASK, &mask_before, nullptr); }

int ChildCommand::Wait(DeathWatch& watch) {
  const sigset_t waited_for = WaitedFor();
  const int signals = ::signalfd(-1, &waited_for, SFD_CLOEXEC | SFD_NONBLOCK);
  int status = 0;
  for (bool ended = false; !ended;) {
    watch.UntilReadable(signals, kLookAgain);
    signalfd_siginfo info{};
    while (::read(signals, &info, sizeof info) == sizeof info) {
      const int signal = static_cast<int>(info.ssi_signo);
      const bool passed_on = signal != SIGCHLD && info.ssi_code != SI_KERNEL;
      if (IsInterruption(SignalName(signal))) asked_to_end_ = signal;
      if (passed_on && !ended) ::kill(pid_, signal);
      ended = ended || ::waitpid(pid_, &status, WNOHANG) == pid_;
    }
    ended = ended || ::waitpid(pid_, &status, WNOHANG) == pid_;
  }
  ::close(signals);
  return status;
}

void EndAs(int wait_status) {
  if (WIFEXITED(wait_status)) ::_exit(WEXITSTATUS(wait_status));
  const int signal = WTERMSIG(wait_status);
  const rlimit no_core{0, 0};  // the command has written its own core file
  ::setrlimit(RLIMIT_CORE, &no_core);
  std::signal(signal, SIG_DFL);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, signal);
  sigprocmask(SIG_UNBLOCK, &one, nullptr);
  ::kill(::getpid(), signal);
  ::_exit(128 + signal);
}

}  // namespace flaky
