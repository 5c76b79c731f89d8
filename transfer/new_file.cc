// SPDX-License-Identifier: MIT
#include "transfer/new_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "stores/error.h"
#include "transfer/file_error.h"

namespace flaky {
namespace {

constexpr char kWriting[] = "write the file";

// Returns the path of the file itself, so that a symbolic link to it stays a link.
std::string Target(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_symlink(path, error)) return path;
  const std::filesystem::path target = std::filesystem::weakly_canonical(path, error);
  if (error) ThrowFileError(path, kWriting, error.value());
  return target.string();
}

void RefuseOtherThanFile(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode)) return;
  throw StoreError(ErrorKind::kInvalid, path, kWriting, "", "it is not a regular file (use `-` for standard output)");
}

// Opens and locks the file. The lock ends with the descriptor.
UniqueFd OpenLocked(const std::string& path) {
  UniqueFd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  struct stat opened {};
  if (!file || fstat(file.get(), &opened) != 0) ThrowFileError(path, kWriting, errno);
  if (!S_ISREG(opened.st_mode) || opened.st_uid != geteuid()) ThrowFileError(path, kWriting, EPERM);
  const bool locked = flock(file.get(), LOCK_EX | LOCK_NB) == 0;
  if (!locked && errno != EWOULDBLOCK) ThrowFileError(path, kWriting, errno);
  // Another process may have renamed or removed it after it was opened and before it was locked.
  struct stat named {};
  if (!locked || lstat(path.c_str(), &named) != 0 || named.st_ino != opened.st_ino || named.st_dev != opened.st_dev) {
    throw StoreError(ErrorKind::kInvalid, path, kWriting, "", "another process is writing it");
  }
  if (fchmod(file.get(), 0600) != 0 || ftruncate(file.get(), 0) != 0) ThrowFileError(path, kWriting, errno);
  return file;
}

}  // namespace

NewFile::NewFile(const std::string& path) : path_(Target(path)), part_path_(path_ + ".part") {
  RefuseOtherThanFile(path_);
  file_ = OpenLocked(part_path_);
}

NewFile::~NewFile() {
  if (file_ && !published_) unlink(part_path_.c_str());
}

void NewFile::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) ThrowFileError(part_path_, kWriting, errno);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

void NewFile::Publish() {
  if (fsync(file_.get()) != 0) ThrowFileError(part_path_, kWriting, errno);
  if (rename(part_path_.c_str(), path_.c_str()) != 0) ThrowFileError(path_, kWriting, errno);
  published_ = true;
  std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  if (folder.empty()) folder = ".";
  const UniqueFd opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // A folder without read permission cannot be synced. The file itself already is.
  if (opened && fsync(opened.get()) != 0 && errno != EINVAL) ThrowFileError(folder.string(), "make it durable", errno);
}

}  // namespace flaky
