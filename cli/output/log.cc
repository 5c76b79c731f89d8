#include "cli/output/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "cli/output/escaped.h"
#include "history/time.h"

namespace flaky {
namespace {

constexpr std::array<std::string_view, 4> kLevelNames = {"silent", "error", "warn", "debug"};

LogLevel LevelInForce(const Settings& settings) {
  const std::string text = settings.Text("FLAKY_TESTS_LOG");
  for (size_t i = 0; i < kLevelNames.size(); ++i) {
    if (kLevelNames[i] == text) return static_cast<LogLevel>(i);
  }
  return LogLevel::kWarn;  // LoadSettings says that it is none
}

// One write, so that lines of several processes do not mix. False leaves the reason in errno.
bool Append(const std::string& path, const std::string& line) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
  if (fd < 0) return false;
  const bool written = ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  const int error = errno;
  ::close(fd);
  errno = error;
  return written;
}

}  // namespace

void Log(const Session& session, LogLevel level, std::string_view text) {
  if (level == LogLevel::kSilent || level > LevelInForce(session.settings)) return;
  const std::string printable = Escaped(text);
  const std::string file = session.settings.Text("FLAKY_TESTS_LOG_FILE");
  if (!file.empty()) {
    const std::string line = Timestamp::Now().ToString() + " " + std::string(kLevelNames[static_cast<size_t>(level)]) +
                             " flaky[" + std::to_string(::getpid()) + "]: " + printable + "\n";
    if (!Append(file, line)) {
      session.err.Print("flaky: FLAKY_TESTS_LOG_FILE: cannot write " + Escaped(file) + ": " + std::strerror(errno) +
                        '\n');
    } else if (level > LogLevel::kError) {
      return;
    }
  }
  session.err.Print("flaky: " + printable + '\n');
}

}  // namespace flaky
