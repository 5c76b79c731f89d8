// SPDX-License-Identifier: MIT
#include "spool/spool_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "history/escaped.h"
#include "stores/error.h"

namespace flaky {
namespace {

constexpr std::string_view kJournalSuffix = ".jsonl";
constexpr size_t kIdLength = 32;
constexpr size_t kFirstChunk = 16 << 10;
constexpr size_t kLargestChunk = 256 << 10;

// Returns the descriptor if the folder belongs to our user.
UniqueFd OwnFolder(int fd) {
  UniqueFd folder(fd);
  struct stat status {};
  if (!folder || fstat(folder.get(), &status) != 0) return UniqueFd();
  if (status.st_uid == geteuid()) return folder;
  folder = UniqueFd();
  errno = ELOOP;
  return folder;
}

bool IsOwn(const UniqueFd& folder, const std::string& name) {
  struct stat status {};
  return fstatat(folder.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_uid == geteuid() &&
         !S_ISLNK(status.st_mode);
}

bool Exists(const UniqueFd& folder, const std::string& name) {
  struct stat status {};
  return fstatat(folder.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

// Returns the path of an open folder, for messages.
std::string PathOf(const UniqueFd& folder) {
  std::error_code unknown;
  const std::filesystem::path link = "/proc/self/fd/" + std::to_string(folder.get());
  const std::string path = std::filesystem::read_symlink(link, unknown).string();
  return unknown ? "a folder of the spool" : path;
}

}  // namespace

bool IsId(std::string_view text) {
  const auto hexadecimal = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == kIdLength && std::ranges::all_of(text, hexadecimal);
}

std::optional<std::string> JournalIdOf(std::string_view file_name) {
  if (!file_name.ends_with(kJournalSuffix)) return std::nullopt;
  file_name.remove_suffix(kJournalSuffix.size());
  return IsId(file_name) ? std::optional(std::string(file_name)) : std::nullopt;
}

std::string OwnName(const UniqueFd& folder, const std::string& name) {
  struct stat status {};
  const bool is_ours = fstat(folder.get(), &status) == 0 && status.st_uid == geteuid();
  if (is_ours && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0) return name;
  if (IsOwn(folder, name)) return name;
  const std::string other = name + '-' + std::to_string(geteuid());
  // One that exists stays in use, even if another user has freed an earlier name since.
  std::string found;
  for (const std::string& each : NamesIn(folder)) {
    const bool is_form = each == other || each.starts_with(other + '.');
    if (is_form && IsOwn(folder, each) && (found.empty() || each < found)) found = each;
  }
  if (!found.empty()) return found;
  std::string free = name;
  for (int64_t number = 0; Exists(folder, free); ++number) {
    free = number == 0 ? other : other + '.' + std::to_string(number);
  }
  return free;
}

UniqueFd OpenFolder(const std::string& path) {
  return UniqueFd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

UniqueFd OpenFolderAt(const UniqueFd& parent, const std::string& name) {
  return OwnFolder(openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

UniqueFd MakeFolderAt(const UniqueFd& parent, const std::string& name) {
  mkdirat(parent.get(), name.c_str(), 0700);  // OpenFolderAt checks what already exists
  return OpenFolderAt(parent, name);
}

bool MakePrivateFolders(const std::filesystem::path& folder) {
  struct stat status {};
  if (folder.empty() || stat(folder.c_str(), &status) == 0) return true;
  if (errno != ENOENT) return false;
  if (folder.parent_path() != folder && !MakePrivateFolders(folder.parent_path())) return false;
  return mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST;
}

std::vector<std::string> NamesIn(const UniqueFd& folder) {
  std::vector<std::string> names;
  if (!folder) return names;
  // A separate descriptor, because reading a folder moves a position that copies of a descriptor share.
  const int fd = openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const listing = fd < 0 ? nullptr : fdopendir(fd);
  if (listing == nullptr) {
    const int error = errno;
    if (fd >= 0) close(fd);
    const std::string path = PathOf(folder);
    errno = error;
    ThrowErrno(path, "list the files");
  }
  while (const dirent* entry = readdir(listing)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  closedir(listing);
  return names;
}

std::optional<OpenedFile> OpenFileAt(const UniqueFd& folder, const std::string& name) {
  // O_NONBLOCK: opening a named pipe would wait for a writer.
  OpenedFile file{UniqueFd(openat(folder.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)), {}};
  if (!file.descriptor || fstat(file.descriptor.get(), &file.status) != 0) return std::nullopt;
  if (!S_ISREG(file.status.st_mode) || file.status.st_uid != geteuid()) {
    errno = ELOOP;
    return std::nullopt;
  }
  return file;
}

void WriteNoteAt(const UniqueFd& folder, const std::string& name, std::string_view text) {
  const std::string draft = name + "." + std::to_string(getpid());
  const UniqueFd file(openat(folder.get(), draft.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return;
  const bool written = write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (!written || renameat(folder.get(), draft.c_str(), folder.get(), name.c_str()) != 0) {
    unlinkat(folder.get(), draft.c_str(), 0);
  }
}

std::optional<std::string> ReadAt(const UniqueFd& file, int64_t offset, size_t size) {
  std::string bytes(size, '\0');
  size_t filled = 0;
  while (filled < size) {
    const ssize_t got = pread(file.get(), bytes.data() + filled, size - filled,
                              static_cast<off_t>(offset + static_cast<int64_t>(filled)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    filled += static_cast<size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

bool IsUnreadable(int error) { return error == EACCES || error == EPERM || error == EIO; }

bool ReadPieces(const UniqueFd& file, const std::function<void(std::string_view)>& take) {
  int64_t offset = 0;
  for (size_t chunk = kFirstChunk;; chunk = std::min(2 * chunk, kLargestChunk)) {
    const auto bytes = ReadAt(file, offset, chunk);
    if (!bytes) return false;
    const std::string_view text = std::string_view(*bytes).substr(0, bytes->find('\0'));
    take(text);
    if (text.size() < chunk) return true;
    offset += static_cast<int64_t>(chunk);
  }
}

std::optional<std::string> ReadUpToNul(const UniqueFd& file) {
  std::string bytes;
  if (!ReadPieces(file, [&](std::string_view piece) { bytes += piece; })) return std::nullopt;
  return bytes;
}

std::optional<int64_t> LengthUpToNul(const UniqueFd& file) {
  int64_t length = 0;
  if (!ReadPieces(file, [&](std::string_view piece) { length += static_cast<int64_t>(piece.size()); }))
    return std::nullopt;
  return length;
}

std::optional<std::string> MoveToRejected(const UniqueFd& spool, const UniqueFd& from, const std::string& name,
                                          const std::string& path, const std::string& reason) {
  const std::string rejected_name = OwnName(spool, kRejected);
  const UniqueFd rejected = MakeFolderAt(spool, rejected_name);
  if (!rejected) ThrowErrno(path, "move it to rejected/");
  std::string there = name;
  struct stat status {};
  for (int i = 1; fstatat(rejected.get(), there.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0; ++i) {
    there = name + '.' + std::to_string(i);
  }
  if (renameat(from.get(), name.c_str(), rejected.get(), there.c_str()) != 0) {
    if (errno == ENOENT) return std::nullopt;
    ThrowErrno(path, "move it to rejected/");
  }
  const UniqueFd note(
      openat(rejected.get(), (there + ".reason").c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  const std::string line = Escaped(reason) + '\n';
  // The note is not essential: the file is safe, and the caller reports the reason.
  [[maybe_unused]] const ssize_t ignored = note ? write(note.get(), line.data(), line.size()) : 0;
  return rejected_name + '/' + there;
}

void ThrowErrno(const std::string& path, const std::string& operation) {
  const int error = errno;
  throw StoreError(ErrorKind::kPermanent, path, operation, std::to_string(error),
                   std::generic_category().message(error));
}

}  // namespace flaky
