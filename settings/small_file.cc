// SPDX-License-Identifier: MIT
#include "settings/small_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace flaky {
namespace {

constexpr size_t kLongestLine = 8192;

// Reads up to `most` bytes. Sets `whole` if the file has no more.
std::string Beginning(const std::filesystem::path& file, size_t most, bool& whole) {
  whole = false;
  std::string text;
  const int fd = ::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return text;
  struct stat status {};
  std::array<char, kLongestLine> block{};
  while (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && text.size() <= most) {
    const ssize_t got = ::read(fd, block.data(), std::min(block.size(), most + 1 - text.size()));
    if (got > 0) {
      text.append(block.data(), static_cast<size_t>(got));
      continue;
    }
    whole = got == 0;
    break;
  }
  ::close(fd);
  return text;
}

}  // namespace

std::string ContentOf(const std::filesystem::path& file, size_t limit) {
  bool whole = false;
  std::string text = Beginning(file, limit, whole);
  return whole ? text : std::string();
}

std::string FirstLineOf(const std::filesystem::path& file) {
  bool whole = false;
  const std::string text = Beginning(file, kLongestLine, whole);
  const size_t end = text.find('\n');
  if (end == text.npos && !whole) return {};
  return text.substr(0, end);
}

}  // namespace flaky
