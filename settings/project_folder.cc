// SPDX-License-Identifier: MIT
#include "settings/project_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string_view>
#include <system_error>

#include "history/text.h"

namespace flaky {
namespace {

namespace fs = std::filesystem;

fs::path WithoutSlash(const fs::path& folder) {
  const fs::path normal = folder.lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

// Returns the first line of a small file. Returns an empty text if it is longer than a path can be, or not a file.
std::string FirstLineOf(const fs::path& file) {
  std::array<char, 8192> text{};
  const int fd = ::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return {};
  const ssize_t got = ::read(fd, text.data(), text.size());
  ::close(fd);
  const std::string_view bytes(text.data(), got > 0 ? static_cast<size_t>(got) : 0);
  const size_t end = bytes.find('\n');
  if (end == bytes.npos && bytes.size() == text.size()) return {};
  return std::string(bytes.substr(0, end));
}

}  // namespace

fs::path RepositoryTop(const fs::path& from) {
  if (!from.is_absolute()) return {};
  for (fs::path folder = WithoutSlash(from);; folder = folder.parent_path()) {
    std::error_code missing;
    const fs::file_status dot_git = fs::status(folder / ".git", missing);
    if (fs::is_directory(dot_git) || fs::is_regular_file(dot_git)) return folder;
    if (folder == folder.parent_path()) return {};
  }
}

fs::path GitFolder(const fs::path& top) {
  constexpr std::string_view kPointer = "gitdir: ";
  fs::path dot_git = top / ".git";
  std::error_code ignored;
  if (fs::is_directory(dot_git, ignored)) return dot_git;
  const std::string line = FirstLineOf(dot_git);
  if (!line.starts_with(kPointer) || line.find('\0') != line.npos) return dot_git;
  return top / line.substr(kPointer.size());  // an absolute path replaces the top
}

std::string ProjectOf(const fs::path& folder) {
  const fs::path top = RepositoryTop(folder);
  return MakeStorable(WithoutSlash(top.empty() ? folder : top).filename().string());
}

}  // namespace flaky
