#include "tests/servers/server_process.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "tests/servers/sockets.h"

namespace flaky {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kPause(5);
// The status if other code in this process has already waited for the child: reported as an exit with 255.
constexpr int kUnknownStatus = 0xff00;

[[noreturn]] void Fail(const std::string& what, int error) {
  throw std::runtime_error(what + ": " + std::strerror(error));
}

// The kernel sends the parent-death signal when the *thread* that forked ends. So a single thread, which lives as long
// as the process, forks all children.
class Forker {
 public:
  static Forker& Instance() {
    static Forker* const forker = new Forker();  // never destroyed: static objects stop their servers late
    return *forker;
  }

  pid_t Run(const std::function<pid_t()>& fork_child) {
    if (getpid() != owner_) throw std::runtime_error("a forked child cannot start servers");
    const std::lock_guard one_caller(callers_);
    std::unique_lock lock(mutex_);
    order_ = &fork_child;
    changed_.notify_all();
    changed_.wait(lock, [&] { return order_ == nullptr; });
    return result_;
  }

 private:
  Forker() {
    std::thread([this] { Work(); }).detach();
  }

  void Work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return order_ != nullptr; });
      result_ = (*order_)();
      order_ = nullptr;
      changed_.notify_all();
    }
  }

  const pid_t owner_ = getpid();
  std::mutex callers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<pid_t()>* order_ = nullptr;
  pid_t result_ = -1;
};

// The data that the child needs. Prepared before the fork, because only system calls are allowed after it.
struct Prepared {
  std::vector<char*> argv;
  std::vector<char*> envp;
  const char* folder;
  const UserIds* run_as;
  int death_signal;
  int null;
  int log;
  int error;  // a pipe that exec closes; a child that fails before exec writes errno to it
  pid_t parent;
};

bool TakeIdentity(const Prepared& prepared) {
  if (prepared.run_as != nullptr) {
    const UserIds& ids = *prepared.run_as;
    if (setgroups(1, &ids.group) != 0 || setgid(ids.group) != 0 || setuid(ids.user) != 0) return false;
  }
  // Set after the change of identity, which clears it. If the parent has already died, the kernel sends no signal.
  if (prctl(PR_SET_PDEATHSIG, prepared.death_signal) != 0) return false;
  if (getppid() != prepared.parent) _exit(1);
  return true;
}

[[noreturn]] void BecomeServer(const Prepared& prepared) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGCHLD}) std::signal(signal, SIG_DFL);
  if (setpgid(0, 0) == 0 && dup2(prepared.null, STDIN_FILENO) >= 0 && dup2(prepared.log, STDOUT_FILENO) >= 0 &&
      dup2(prepared.log, STDERR_FILENO) >= 0 && TakeIdentity(prepared) && chdir(prepared.folder) == 0) {
    execve(prepared.argv[0], prepared.argv.data(), prepared.envp.data());
  }
  const int error = errno;
  if (write(prepared.error, &error, sizeof error) < 0) _exit(126);
  _exit(127);
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

pid_t Spawn(ServerCommand& command) {
  std::vector<std::string> environment = {"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG=C.UTF-8",
                                          "HOME=" + command.folder.string()};
  FileDescriptor null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (null.get() < 0) Fail("/dev/null", errno);
  FileDescriptor log(open(command.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (log.get() < 0) Fail(command.log.string(), errno);
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) Fail("pipe", errno);
  FileDescriptor reading(ends[0]), writing(ends[1]);

  const Prepared prepared = {Pointers(command.arguments),
                             Pointers(environment),
                             command.folder.c_str(),
                             command.run_as ? &*command.run_as : nullptr,
                             command.death_signal,
                             null.get(),
                             log.get(),
                             writing.get(),
                             getpid()};
  const pid_t pid = Forker::Instance().Run([&] {
    const pid_t child = fork();
    if (child == 0) BecomeServer(prepared);
    return child;
  });
  if (pid < 0) Fail("cannot start " + command.arguments.front(), errno);
  writing.Close();
  int error = 0;
  if (read(reading.get(), &error, sizeof error) == sizeof error) {
    waitpid(pid, nullptr, 0);
    Fail("cannot start " + command.arguments.front() + " in " + command.folder.string(), error);
  }
  return pid;
}

std::string HowItEnded(int status) {
  if (WIFSIGNALED(status)) return "was killed by signal " + std::to_string(WTERMSIG(status));
  return "ended with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

std::optional<UserIds> UnprivilegedUser() {
  if (geteuid() != 0) return std::nullopt;
  for (const char* name : {"postgres", "nobody"}) {
    if (const passwd* user = getpwnam(name)) return UserIds{user->pw_uid, user->pw_gid};
  }
  throw std::runtime_error(
      "this server does not run as root, and there is no other user to run it, such as 'postgres'");
}

void GiveTo(const std::optional<UserIds>& ids, const std::filesystem::path& path) {
  if (ids && chown(path.c_str(), ids->user, ids->group) != 0) Fail("chown " + path.string(), errno);
}

ServerProcess::ServerProcess(ServerCommand command) : command_(std::move(command)) {
  std::error_code none_yet;
  const std::uintmax_t size = std::filesystem::file_size(command_.log, none_yet);
  if (!none_yet) log_start_ = size;
  pid_ = Spawn(command_);
}

ServerProcess::~ServerProcess() { Stop(SIGKILL); }

std::optional<int> ServerProcess::WaitForEnd(milliseconds limit) {
  const Clock::time_point deadline = Clock::now() + limit;
  while (!status_) {
    int status = 0;
    const pid_t ended = waitpid(pid_, &status, WNOHANG);
    if (ended == pid_) status_ = status;
    if (ended < 0 && errno != EINTR) status_ = kUnknownStatus;
    if (ended == 0 && Clock::now() >= deadline) return std::nullopt;
    if (ended == 0) std::this_thread::sleep_for(kPause);
  }
  return status_;
}

void ServerProcess::WaitUntil(const std::function<bool()>& probe, milliseconds limit) {
  const Clock::time_point deadline = Clock::now() + limit;
  while (!probe()) {
    if (const std::optional<int> status = WaitForEnd(milliseconds(0))) {
      throw std::runtime_error(command_.arguments.front() + " " + HowItEnded(*status) +
                               " before it answered; its log ends:\n" + LogTail());
    }
    if (Clock::now() >= deadline) {
      throw std::runtime_error(command_.arguments.front() + " did not answer within " + std::to_string(limit.count()) +
                               " ms; its log ends:\n" + LogTail());
    }
    std::this_thread::sleep_for(kPause);
  }
}

void ServerProcess::Stop(int signal, milliseconds limit) {
  if (WaitForEnd(milliseconds(0))) return;
  kill(pid_, signal);
  if (WaitForEnd(limit)) return;
  kill(pid_, SIGKILL);
  WaitForEnd(std::chrono::hours(1));
}

std::string ServerProcess::LogTail() const {
  constexpr size_t kBytes = 4000;
  std::ifstream file(command_.log, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(log_start_));
  std::ostringstream text;
  text << file.rdbuf();
  std::string tail = text.str();
  if (tail.size() <= kBytes) return tail.empty() ? "(nothing was written to it)" : tail;
  tail.erase(0, tail.size() - kBytes);
  return tail.substr(tail.find('\n') + 1);
}

void RunToEnd(const ServerCommand& command, milliseconds limit) {
  ServerProcess process(command);
  const std::optional<int> status = process.WaitForEnd(limit);
  if (status == 0) return;
  throw std::runtime_error(
      command.arguments.front() + " " +
      (status ? HowItEnded(*status) : "took longer than " + std::to_string(limit.count()) + " ms") +
      "; its log ends:\n" + process.LogTail());
}

int FreePort() {
  // Below the range that Linux uses for the ports of outgoing connections.
  static thread_local std::minstd_rand random(std::random_device{}());
  std::uniform_int_distribution<int> any(20'000, 32'000);
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const int port = any(random);
    if (Bind(port).get() >= 0) return port;
  }
  throw std::runtime_error("found no free port on 127.0.0.1 in 1000 attempts");
}

std::string FindProgram(const std::string& name, const std::vector<std::filesystem::path>& folders,
                        const std::string& package) {
  std::vector<std::filesystem::path> all = folders;
  std::string path_variable = std::getenv("PATH") == nullptr ? "" : std::getenv("PATH");
  for (std::string_view sbin : {"/usr/sbin", "/usr/local/sbin"}) path_variable.append(":").append(sbin);
  std::istringstream path(path_variable);
  for (std::string folder; std::getline(path, folder, ':');) {
    if (!folder.empty()) all.emplace_back(folder);
  }
  for (const std::filesystem::path& folder : all) {
    std::filesystem::path program = folder / name;
    if (access(program.c_str(), X_OK) == 0) return program.string();
  }
  throw std::runtime_error("the tests need the program '" + name + "', which was not found; it comes with " + package +
                           ", and `./dev test` installs it");
}

}  // namespace flaky
