#ifndef FLAKY_CLI_FILE_SYSTEM_H_
#define FLAKY_CLI_FILE_SYSTEM_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

// Facts about the file system of a folder: its free space, and whether its locks and new files are reliable.
namespace flaky {

struct FileSystem {
  std::string kind;  // "ext4", as the kernel calls it; empty: not known
  bool over_network = false;
  bool lacks_journal = false;  // ext4 made without one
  bool read_only = false;
  std::optional<int64_t> free_bytes;  // that this user may use; absent if there is no limit
  std::optional<int64_t> free_files;
};

// Returns the facts about the file system of an existing path, or nullopt if they cannot be read.
std::optional<FileSystem> FileSystemOf(const std::filesystem::path& path);

// Returns the path itself if it exists, else its nearest existing parent folder.
std::filesystem::path NearestThatIs(const std::filesystem::path& path);

// Returns whether a file system of this kind keeps its files on another machine.
bool IsOverNetwork(std::string_view kind);

// Returns whether this process, with its effective user, may access the path. `how`: R_OK, W_OK, X_OK of access(2).
bool MayAccess(const std::filesystem::path& path, int how);

}  // namespace flaky

#endif  // FLAKY_CLI_FILE_SYSTEM_H_
