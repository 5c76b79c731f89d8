// SPDX-License-Identifier: MIT
#include "spool/process.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace flaky {
namespace {

// Reads a small file of /proc, up to a page. Returns nullopt and sets errno if it cannot be read.
std::optional<std::string> ReadProc(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  std::array<char, 4096> buffer;
  const ssize_t size = read(fd, buffer.data(), buffer.size());
  const int error = errno;
  close(fd);
  errno = error;
  if (size < 0) return std::nullopt;
  return std::string(buffer.data(), static_cast<size_t>(size));
}

// Returns the machine and the namespace of this process, in the same terms as a journal's header.
ProcessId Here() {
  ProcessId here;
  here.boot_id = ReadProc("/proc/sys/kernel/random/boot_id").value_or("");
  while (!here.boot_id.empty() && here.boot_id.back() == '\n') here.boot_id.pop_back();
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) == 0) here.host = host.data();
  struct stat pid_ns {};
  if (stat("/proc/self/ns/pid", &pid_ns) == 0) here.pid_ns = std::to_string(pid_ns.st_ino);
  return here;
}

// Returns the fields of /proc/PID/stat from the third on. The second, the command's name, is in parentheses and may
// contain blanks and parentheses, so it ends at the last closing parenthesis.
std::vector<std::string_view> StatFields(std::string_view stat) {
  std::vector<std::string_view> fields;
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) return fields;
  size_t at = name_end + 1;
  while ((at = stat.find_first_not_of(" \n", at)) != std::string_view::npos) {
    const size_t end = std::min(stat.find_first_of(" \n", at), stat.size());
    fields.push_back(stat.substr(at, end - at));
    at = end;
  }
  return fields;
}

constexpr size_t kState = 3 - 3, kThreads = 20 - 3, kStartTime = 22 - 3;

std::optional<int64_t> Ticks(std::string_view text) {
  int64_t ticks = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ticks);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return ticks;
}

// Returns false if the process is in another time namespace than this one. The kernel shows all starts of processes in
// the reader's time.
bool IsInOurTime(int64_t pid) {
  struct stat here {
  }, there{};
  if (stat("/proc/self/ns/time", &here) != 0) return true;  // a kernel without such namespaces
  // What cannot be read belongs to another user, so it is not the process that is looked for.
  if (stat(("/proc/" + std::to_string(pid) + "/ns/time").c_str(), &there) != 0) return true;
  return here.st_ino == there.st_ino;
}

// Returns whether the process `pid` of this namespace is running and is the one that ran at `seen`. A process that got
// the same pid later also started later, by the same clock.
Alive IsRunning(int64_t pid, const std::string& seen) {
  const auto stat = ReadProc("/proc/" + std::to_string(pid) + "/stat");
  if (!stat) {
    const bool gone = (errno == ENOENT || errno == ESRCH) && access("/proc/self/stat", R_OK) == 0;
    return gone ? Alive::kNo : Alive::kCannotTell;
  }
  const auto fields = StatFields(*stat);
  const auto start = fields.size() > kStartTime ? Ticks(fields[kStartTime]) : std::nullopt;
  if (!start || seen.empty()) return Alive::kCannotTell;
  const auto seen_at = Ticks(seen);
  if (!seen_at) return Alive::kNo;  // no process ran at an invalid time
  if (*start > *seen_at) return IsInOurTime(pid) ? Alive::kNo : Alive::kCannotTell;
  // A process is a zombie until its parent waits for it. A process of which only the first thread has ended looks like
  // a zombie, but is not.
  const bool zombie = (fields[kState] == "Z" && fields[kThreads] == "1") || fields[kState] == "X";
  return zombie ? Alive::kNo : Alive::kYes;
}

// The pid namespace of the whole system, in which every process is visible (PROC_PID_INIT_INO of the kernel).
constexpr std::string_view kFirstPidNamespace = "4026531836";

// Returns the pid of a process in its innermost namespace; 0 if the process is in this namespace, nullopt if that is
// not known.
std::optional<int64_t> InnermostPid(const std::string& status) {
  constexpr std::string_view kField = "\nNSpid:";  // a pid for each namespace, the innermost one last
  const size_t at = status.find(kField);
  const size_t end = at == std::string::npos ? at : status.find('\n', at + 1);
  if (end == std::string::npos) return std::nullopt;
  std::istringstream words(status.substr(at + kField.size(), end - at - kField.size()));
  const std::vector<int64_t> pids{std::istream_iterator<int64_t>(words), {}};
  if (pids.empty()) return std::nullopt;
  return pids.size() == 1 ? 0 : pids.back();
}

bool HasArgument(const std::string& process, const std::string& argument) {
  const std::string arguments = '\0' + ReadProc(process + "/cmdline").value_or("");
  return arguments.find('\0' + argument + '\0') != std::string::npos;
}

// Returns whether a process of another pid namespace is running, such as a test in a Bazel sandbox. If it is visible
// from here, it is running. If it is not visible, it has ended only if it would be visible here: in the namespace of
// the whole system, or in the namespace in which the server of that Bazel runs.
Alive IsRunningBelow(const ProcessId& writer, const ProcessId& here) {
  bool sees_all = here.pid_ns == kFirstPidNamespace;
  bool knows_all = true;
  const std::string of_server = "--output_base=" + writer.output_base;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator("/proc", error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string process = entry->path().string(), name = entry->path().filename().string();
    int64_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr != name.data() + name.size()) continue;
    const auto status = ReadProc(process + "/status");
    if (!status && (errno == ENOENT || errno == ESRCH)) continue;  // it has just ended
    const auto inner_pid = status ? InnermostPid(*status) : std::nullopt;
    struct stat pid_ns {};
    const bool elsewhere =
        stat((process + "/ns/pid").c_str(), &pid_ns) == 0 && std::to_string(pid_ns.st_ino) != writer.pid_ns;
    if (inner_pid == writer.pid && !elsewhere) {
      const Alive alive = IsRunning(pid, writer.pid_start);
      if (alive == Alive::kYes) return Alive::kYes;
      knows_all = knows_all && alive == Alive::kNo;
    }
    knows_all = knows_all && inner_pid.has_value();
    if (!sees_all && !writer.output_base.empty()) sees_all = HasArgument(process, of_server);
  }
  return !error && sees_all && knows_all ? Alive::kNo : Alive::kCannotTell;
}

// Returns true on a file system that counts the mappings of a file as its writers, by its magic number. A stacked file
// system maps the file under it instead, and a network does not know the other machines' writers.
bool CountsMappings(int file) {
  constexpr long kExt = 0xEF53, kTmpfs = 0x01021994, kXfs = 0x58465342, kBtrfs = 0x9123683E, kF2fs = 0xF2F52010;
  struct statfs system {};
  if (fstatfs(file, &system) != 0) return false;
  const auto type = static_cast<long>(system.f_type);
  return type == kExt || type == kTmpfs || type == kXfs || type == kBtrfs || type == kF2fs;
}

// Asks the kernel whether a process of this machine has the file open or mapped for writing: then it does not grant a
// lease for reading. `file` is open for reading only.
Alive HasWriter(int file) {
  if (!CountsMappings(file)) return Alive::kCannotTell;
  // A process that opens the file during the lease would send us SIGIO, which ends a process. SIGURG does not.
  if (fcntl(file, F_SETSIG, SIGURG) != 0) return Alive::kCannotTell;
  if (fcntl(file, F_SETLEASE, F_RDLCK) != 0) return errno == EAGAIN ? Alive::kYes : Alive::kCannotTell;
  fcntl(file, F_SETLEASE, F_UNLCK);
  return Alive::kNo;
}

}  // namespace

ProcessId ProcessHere(int64_t pid) {
  ProcessId process = Here();
  process.pid = pid;
  const std::string stat = ReadProc("/proc/" + std::to_string(pid) + "/stat").value_or("");
  if (const auto fields = StatFields(stat); fields.size() > kStartTime) process.pid_start = fields[kStartTime];
  return process;
}

ProcessId ThisProcess() { return ProcessHere(getpid()); }

std::optional<ProcessId> ProcessHereNamed(std::string_view pid_and_start) {
  ProcessId process = Here();
  const size_t dash = pid_and_start.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const char* const end = pid_and_start.data() + dash;
  const auto [at, error] = std::from_chars(pid_and_start.data(), end, process.pid);
  if (error != std::errc() || at != end || process.pid <= 0) return std::nullopt;
  process.pid_start = pid_and_start.substr(dash + 1);
  return process;
}

Alive IsAlive(const ProcessId& writer) {
  static const ProcessId here = Here();
  if (writer.boot_id.empty() || here.boot_id.empty() || writer.pid <= 0) return Alive::kCannotTell;
  if (writer.boot_id != here.boot_id) {
    // On this machine, a reboot has ended all earlier processes. Another machine may still be running.
    return !writer.host.empty() && writer.host == here.host ? Alive::kNo : Alive::kCannotTell;
  }
  // A boot id identifies one boot of one machine, even if the host was renamed.
  if (writer.pid_ns.empty() || here.pid_ns.empty()) return Alive::kCannotTell;
  if (writer.pid_ns != here.pid_ns) return IsRunningBelow(writer, here);
  return IsRunning(writer.pid, writer.pid_start);
}

Alive IsWriterAlive(const ProcessId& writer, int file) {
  const Alive alive = IsAlive(writer);
  static const std::string boot_id = Here().boot_id;
  if (alive != Alive::kCannotTell || boot_id.empty() || writer.boot_id != boot_id) return alive;
  return HasWriter(file);
}

}  // namespace flaky
