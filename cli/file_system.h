#ifndef FLAKY_CLI_FILE_SYSTEM_H_
#define FLAKY_CLI_FILE_SYSTEM_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

// What lies below a folder: how much room there is, and how far its locks and new files can be relied on.
namespace flaky {

struct FileSystem {
  std::string kind;  // "ext4", as the kernel calls it; empty: not known
  bool over_network = false;
  bool lacks_journal = false;  // ext4 made without one
  bool read_only = false;
  std::optional<int64_t> free_bytes;  // that this user may use; absent where there is no limit
  std::optional<int64_t> free_files;
};

// Of the file system that an existing path is on. Absent when it cannot be asked.
std::optional<FileSystem> FileSystemOf(const std::filesystem::path& path);

// The path itself if it is there, else the nearest folder above it that is.
std::filesystem::path NearestThatIs(const std::filesystem::path& path);

// True for those whose files are on another machine.
bool IsOverNetwork(std::string_view kind);

// Whether this process may do that (R_OK, W_OK, X_OK of access(2)) with the path, as the user it acts for.
bool MayAccess(const std::filesystem::path& path, int how);

}  // namespace flaky

#endif  // FLAKY_CLI_FILE_SYSTEM_H_
