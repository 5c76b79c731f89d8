// SPDX-License-Identifier: MIT
#include "delivery/edited_tree.h"

#include <cstdint>
#include <cstdlib>
#include <system_error>
#include <vector>

#include "delivery/git_command.h"
#include "delivery/git_dirt.h"

namespace flaky {
namespace {

namespace fs = std::filesystem;
using Deadline = std::chrono::steady_clock::time_point;

constexpr size_t kLongestList = 1 << 20;
constexpr size_t kMostFiles = 2'000;
constexpr uintmax_t kMostBytes = 64 << 20;  // of the files
constexpr uintmax_t kLargestIndex = 256 << 20;
constexpr size_t kLongestId = 128;

bool IsInside(const fs::path& folder, const fs::path& top) {
  const fs::path relative = folder.lexically_relative(top);
  return !relative.empty() && *relative.begin() != "..";
}

// A folder for one use, outside of the working tree; no path if there can be none.
class PrivateFolder {
 public:
  explicit PrivateFolder(const fs::path& top) {
    std::error_code error;
    for (const fs::path& parent : {fs::temp_directory_path(error), fs::path("/tmp"), fs::path("/var/tmp")}) {
      const fs::path real = fs::canonical(parent, error);
      if (error || IsInside(real, fs::canonical(top, error))) continue;
      std::string name = (real / "flaky-XXXXXX").string();
      if (mkdtemp(name.data()) == nullptr) continue;
      path_ = name;
      return;
    }
  }
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  ~PrivateFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Returns the files that differ from the index or are not in it; nullopt if they are not known or too many.
std::optional<std::vector<std::string>> EditedFiles(const fs::path& top, const GitExtras& extras, Deadline deadline) {
  const CommandOutput list =
      Git(top, {"ls-files", "-z", "--modified", "--others", "--exclude-standard"}, deadline, kLongestList, extras);
  if (!list.succeeded) return std::nullopt;
  std::vector<std::string> files = AtNul(list.text);
  if (files.size() > kMostFiles) return std::nullopt;
  uintmax_t bytes = 0;
  for (const std::string& file : files) {
    if (file.ends_with('/')) return std::nullopt;  // another repository
    std::error_code error;
    const fs::file_status status = fs::symlink_status(top / file, error);
    if (fs::is_regular_file(status)) bytes += fs::file_size(top / file, error);
    if (error == std::errc::no_such_file_or_directory) error.clear();  // it was removed
    if (error || bytes > kMostBytes) return std::nullopt;
  }
  return files;
}

// Copies the index to the folder. Keeps its time, from which git knows which files may have changed just after it.
bool CopyIndex(const fs::path& index, const fs::path& copy) {
  std::error_code error;
  const fs::file_time_type time = fs::last_write_time(index, error);
  if (error || fs::file_size(index, error) > kLargestIndex || error) return false;
  if (!fs::copy_file(index, copy, error) || error) return false;
  fs::last_write_time(copy, time, error);
  return !error;
}

}  // namespace

std::optional<std::string> EditedTree(const fs::path& top, const fs::path& index, Deadline deadline) {
  const auto filters = GitFilters(top, deadline);
  if (!filters || HasDirtySubmodule(top, deadline) != false) return std::nullopt;
  GitExtras extras{.settings = WithoutFilters(*filters)};
  // A split index would be written next to the user's, and nothing here has to survive a power failure.
  for (const char* setting :
       {"core.splitIndex=false", "core.safecrlf=false", "core.fsync=none", "core.looseCompression=0"}) {
    extras.settings.emplace_back(setting);
  }
  const auto edited = EditedFiles(top, extras, deadline);
  if (!edited) return std::nullopt;
  if (!filters->empty() && HasOne(true, *edited, *filters, top, deadline) != false) return std::nullopt;

  const PrivateFolder folder(top);
  const fs::path copy = folder.path() / "index", objects = folder.path() / "objects";
  std::error_code error;
  if (folder.path().empty() || !CopyIndex(index, copy) || !fs::create_directory(objects, error)) return std::nullopt;
  extras.environment = {"GIT_INDEX_FILE=" + copy.string()};
  for (const std::string& file : *edited) extras.input.append(file).push_back('\0');
  // Only computes the ids of the files.
  if (!edited->empty() &&
      !Git(top, {"update-index", "-z", "--add", "--remove", "--info-only", "--stdin"}, deadline, 1, extras).succeeded) {
    return std::nullopt;
  }
  extras.input.clear();
  // Git touches objects that exist already. So it must not see those of the repository.
  extras.environment.push_back("GIT_OBJECT_DIRECTORY=" + objects.string());
  const CommandOutput tree = Git(top, {"write-tree", "--missing-ok"}, deadline, kLongestId, extras);
  const std::string id = tree.text.substr(0, tree.text.find('\n'));
  if (!tree.succeeded || id.empty() || id.find_first_not_of("0123456789abcdef") != id.npos) return std::nullopt;
  return id;
}

}  // namespace flaky
