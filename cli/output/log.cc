// SPDX-License-Identifier: MIT
#include "cli/output/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "cli/output/escaped.h"
#include "history/masked.h"
#include "history/time.h"

namespace flaky {
namespace {

constexpr std::array<std::string_view, 4> kLevelNames = {"silent", "error", "warn", "debug"};

// Appends in one write, so that lines of several processes do not mix. Returns why that failed; empty if it did not.
std::string Append(const std::string& path, const std::string& line) {
  const int fd = OpenLogFile(path, O_CREAT);
  if (fd < 0) return WhyNoLogFile(errno);
  const bool written = ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  const int error = errno;
  ::close(fd);
  return written ? "" : std::strerror(error);
}

}  // namespace

int OpenLogFile(const std::string& path, int flags) {
  const int fd =
      ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | flags, 0600);
  if (fd < 0) return -1;
  struct stat status {};
  if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == ::geteuid()) return fd;
  ::close(fd);
  errno = ELOOP;
  return -1;
}

std::string WhyNoLogFile(int error) {
  return error == ELOOP || error == ENXIO ? "it is a link, another user's, or not a file" : std::strerror(error);
}

Logger::Logger(StatusLine& line, const Settings& settings) : err(&line) {
  try {
    file = settings.Get(setting::kLogFile);
    const auto found = std::ranges::find(kLevelNames, settings.Get(setting::kLog));
    level = static_cast<LogLevel>(found - kLevelNames.begin());
  } catch (const SettingError&) {
    // LoadSettings says so.
  }
}

void Log(const Logger& logger, LogLevel level, std::string_view text) {
  if (level == LogLevel::kSilent || level > logger.level) return;
  const std::string printable = Escaped(WithoutKnownSecrets(text));
  if (!logger.file.empty()) {
    const std::string line = Timestamp::Now().ToString() + " " + std::string(kLevelNames[static_cast<size_t>(level)]) +
                             " flaky[" + std::to_string(::getpid()) + "]: " + printable + "\n";
    if (const std::string why = Append(logger.file, line); !why.empty()) {
      logger.err->Print("flaky: FLAKY_TESTS_LOG_FILE: cannot write " + Escaped(logger.file) + ": " + why + '\n');
    } else if (level > LogLevel::kError) {
      return;
    }
  }
  logger.err->Print("flaky: " + printable + '\n');
}

}  // namespace flaky
