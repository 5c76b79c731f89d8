#ifndef FLAKY_TESTS_SERVERS_SERVER_PROCESS_H_
#define FLAKY_TESTS_SERVERS_SERVER_PROCESS_H_

#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// Runs servers as child processes of a test. Every error is a std::runtime_error with the reason, so that the test
// fails: no test is skipped because a server is missing.
namespace flaky {

struct UserIds {
  uid_t user;
  gid_t group;
};

// Returns the user for servers that refuse to run as root: `postgres` if Debian's package created that user, else
// the system's unprivileged user. Returns nullopt if this process is not root; servers then run as the same user.
std::optional<UserIds> UnprivilegedUser();

// Makes the user with these ids the owner of the file or folder. Does nothing without ids.
void GiveTo(const std::optional<UserIds>& ids, const std::filesystem::path& path);

struct ServerCommand {
  std::vector<std::string> arguments;  // the first is the program's path; passed without a shell
  std::filesystem::path folder;        // the working folder and HOME
  std::filesystem::path log;           // stdout and stderr are appended to it
  std::optional<UserIds> run_as;       // nullopt: the user of this process
  int death_signal = SIGKILL;          // the signal that the kernel sends when this process ends in any way
};

// A running program in its own process group. Its environment has only PATH, HOME and LANG. It is ended when the object
// is destroyed or this process ends in any way. Not thread-safe. May be created in any thread, but not in a forked
// child of the process that created the first one.
class ServerProcess {
 public:
  explicit ServerProcess(ServerCommand command);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Returns when the probe returns true. Throws an error with the end of the log if the process ends before that or the
  // limit has passed.
  void WaitUntil(const std::function<bool()>& probe, std::chrono::milliseconds limit = std::chrono::seconds(60));

  // Waits for the end of the process. Returns its status, as from waitpid, or nullopt if it does not end within the
  // limit.
  std::optional<int> WaitForEnd(std::chrono::milliseconds limit);

  // Sends the signal, waits for the end, and sends SIGKILL if that takes longer than the limit. Does nothing if the
  // process has already ended.
  void Stop(int signal, std::chrono::milliseconds limit = std::chrono::seconds(20));

  pid_t pid() const { return pid_; }
  // Returns the last lines that this process wrote to its log.
  std::string LogTail() const;

 private:
  ServerCommand command_;
  std::uintmax_t log_start_ = 0;
  pid_t pid_ = -1;
  std::optional<int> status_;
};

// Runs a program to its end. Throws an error with the end of its log unless it ends with status 0 within the limit.
void RunToEnd(const ServerCommand& command, std::chrono::milliseconds limit = std::chrono::seconds(120));

// Returns a free loopback port, outside the range that Linux uses for outgoing connections.
int FreePort();

// Returns the path of the program `name`: in the first of the folders that contains it, else in PATH. If it is missing,
// throws an error that names what to install (`package`, for example "Debian's package 'pgbouncer'").
std::string FindProgram(const std::string& name, const std::vector<std::filesystem::path>& folders,
                        const std::string& package);

// One `T` for the whole process, destroyed at its end. A forked child that calls exit() does not destroy it.
template <typename T>
class ProcessWide {
 public:
  ~ProcessWide() {
    if (getpid() != owner_) static_cast<void>(value_.release());
  }
  T& get() { return *value_; }

 private:
  pid_t owner_ = getpid();
  std::unique_ptr<T> value_ = std::make_unique<T>();
};

}  // namespace flaky

#endif  // FLAKY_TESTS_SERVERS_SERVER_PROCESS_H_
