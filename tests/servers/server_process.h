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

// Servers as child processes of a test. Whatever goes wrong here is a std::runtime_error that says what and why, so
// that the test fails: nothing is skipped because a server is missing.
namespace flaky {

struct UserIds {
  uid_t user;
  gid_t group;
};

// Whom a server that refuses to be run by root runs as: `postgres`, where Debian's package made that user, else
// `nobody`. Absent when this process is not root's: then it runs as oneself.
std::optional<UserIds> UnprivilegedUser();

// Makes the file or folder theirs; does nothing without ids.
void GiveTo(const std::optional<UserIds>& ids, const std::filesystem::path& path);

struct ServerCommand {
  std::vector<std::string> arguments;  // the program's path is the first; no shell reads them
  std::filesystem::path folder;        // the working folder and HOME
  std::filesystem::path log;           // stdout and stderr are appended to it
  std::optional<UserIds> run_as;       // absent: as this process
  int death_signal = SIGKILL;          // what the kernel sends it when this process dies, however it dies
};

// A running program with an environment of its own (PATH, HOME, LANG and nothing else of the test's) in a process group
// of its own. Neither destruction of the object nor the death of this process leaves it running. Not thread-safe.
// May be made in any thread, but not in a forked child of the process that made the first one.
class ServerProcess {
 public:
  explicit ServerProcess(ServerCommand command);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Returns when the probe gives true. Throws, with the end of the log, when the process ends before, or the time is
  // up.
  void WaitUntil(const std::function<bool()>& probe, std::chrono::milliseconds limit = std::chrono::seconds(60));

  // The status, as waitpid gives it, of a process that ends within the limit.
  std::optional<int> WaitForEnd(std::chrono::milliseconds limit);

  // Sends the signal, waits for the end, and sends SIGKILL when it takes longer than the limit. A process that has
  // ended is left alone.
  void Stop(int signal, std::chrono::milliseconds limit = std::chrono::seconds(20));

  pid_t pid() const { return pid_; }
  // The last lines that this process wrote to its log.
  std::string LogTail() const;

 private:
  ServerCommand command_;
  std::uintmax_t log_start_ = 0;
  pid_t pid_ = -1;
  std::optional<int> status_;
};

// Runs a program to its end; throws, with the end of its log, unless that is status 0 within the limit.
void RunToEnd(const ServerCommand& command, std::chrono::milliseconds limit = std::chrono::seconds(120));

// A loopback port that nobody listens on now, and that no outgoing connection gets by chance.
int FreePort();

// The path of the program `name` in the first of the folders that has it, else along PATH. Throws what to install
// (`package`, "Debian's package 'pgbouncer'") where it is missing.
std::string FindProgram(const std::string& name, const std::vector<std::filesystem::path>& folders,
                        const std::string& package);

// One `T` for the whole process, gone at its end; a forked child that ends with exit() leaves its parent's alone.
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
