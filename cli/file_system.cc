#include "cli/file_system.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <system_error>

namespace flaky {
namespace {

constexpr std::string_view kNetworkKinds[] = {
    "9p",   "afs",    "beegfs", "ceph",       "cifs",        "coda",      "davfs", "fuse.ceph", "fuse.glusterfs",
    "gfs2", "lustre", "ncpfs",  "fuse.cifs",  "nfs",         "fuse.s3fs", "nfs4",  "ocfs2",     "fuse.rclone",
    "smb3", "smbfs",  "vboxsf", "fuse.sshfs", "fuse.gcsfuse"};

// Decodes a path of /proc/self/mountinfo, in which blanks and some other characters are octal escapes.
std::string Unescaped(std::string_view text) {
  std::string path;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && digit(i + 1) && digit(i + 2) && digit(i + 3)) {
      path += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      path += text[i];
    }
  }
  return path;
}

bool LiesBelow(const std::string& path, const std::string& folder) {
  return folder == "/" || path == folder || (path.starts_with(folder) && path[folder.size()] == '/');
}

// Returns the mount of the path: the deepest one, and the last one of several at the same place.
std::string KindOf(const std::string& path) {
  std::ifstream mounts("/proc/self/mountinfo");
  std::string kind;
  size_t depth = 0;
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string id, parent, device, root, point, word;
    words >> id >> parent >> device >> root >> point;
    while (words >> word && word != "-") {
    }
    if (!(words >> word)) continue;
    point = Unescaped(point);
    if (point.size() < depth || !LiesBelow(path, point)) continue;
    depth = point.size();
    kind = word;
  }
  return kind;
}

// If an ext4 has a journal, the kernel has a thread that writes it and that is named after the device.
bool LacksJournal(const struct stat& status) {
  const std::string device =
      "/sys/dev/block/" + std::to_string(major(status.st_dev)) + ":" + std::to_string(minor(status.st_dev));
  std::error_code unknown;
  const std::filesystem::path name = std::filesystem::read_symlink(device, unknown).filename();
  if (unknown) return false;
  std::ifstream file("/sys/fs/ext4" / name / "journal_task");
  std::string task;
  return std::getline(file, task) && task == "<none>";
}

}  // namespace

std::optional<FileSystem> FileSystemOf(const std::filesystem::path& path) {
  struct statvfs numbers {};
  struct stat status {};
  if (::statvfs(path.c_str(), &numbers) != 0 || ::stat(path.c_str(), &status) != 0) return std::nullopt;
  FileSystem system;
  std::error_code hidden;
  const std::filesystem::path whole = std::filesystem::canonical(path, hidden);
  if (!hidden) system.kind = KindOf(whole.string());
  system.over_network = IsOverNetwork(system.kind);
  system.lacks_journal = system.kind == "ext4" && LacksJournal(status);
  system.read_only = (numbers.f_flag & ST_RDONLY) != 0;
  if (numbers.f_blocks > 0) {
    system.free_bytes = static_cast<int64_t>(numbers.f_bavail) * static_cast<int64_t>(numbers.f_frsize);
  }
  if (numbers.f_files > 0) system.free_files = static_cast<int64_t>(numbers.f_favail);
  return system;
}

std::filesystem::path NearestThatIs(const std::filesystem::path& path) {
  std::error_code no_folder;
  std::filesystem::path place = std::filesystem::absolute(path, no_folder);
  if (no_folder) return path;
  struct stat status {};
  while (::stat(place.c_str(), &status) != 0 && place.has_relative_path()) place = place.parent_path();
  return place;
}

bool IsOverNetwork(std::string_view kind) { return std::ranges::find(kNetworkKinds, kind) != std::end(kNetworkKinds); }

bool MayAccess(const std::filesystem::path& path, int how) {
  return ::faccessat(AT_FDCWD, path.c_str(), how, AT_EACCESS) == 0;
}

}  // namespace flaky
