// SPDX-License-Identifier: MIT
#include "spool/spool.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

#include "spool/spool_files.h"
#include "stores/error.h"

namespace flaky {
namespace {

constexpr char kLock[] = ".lock";
constexpr int kTries = 100;  // to find a free name for it
constexpr std::chrono::milliseconds kFirstPause{1};
constexpr std::chrono::milliseconds kLongestPause{20};

[[noreturn]] void ThrowSpool(const std::filesystem::path& spool, const std::string& operation) {
  const int error = errno;
  const ErrorKind kind = error == ENOENT || error == ENOTDIR ? ErrorKind::kMissing : ErrorKind::kPermanent;
  throw StoreError(kind, "spool " + spool.string(), operation, std::to_string(error),
                   std::generic_category().message(error) + "; set FLAKY_TESTS_SPOOL to use another folder");
}

}  // namespace

namespace {

// Opens the file that is locked for the use of the spool. Another user could keep a file of theirs locked for ever.
UniqueFd OpenLock(const UniqueFd& folder, const std::string& name) {
  UniqueFd file(openat(folder.get(), name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
  struct stat status {};
  if (!file || fstat(file.get(), &status) != 0) return UniqueFd();
  if (S_ISREG(status.st_mode) && status.st_uid == geteuid()) return file;
  file = UniqueFd();
  errno = EACCES;
  return file;
}

}  // namespace

std::optional<SpoolLock> SpoolLock::Take(const std::filesystem::path& spool, std::chrono::milliseconds wait) {
  // Only for this user, because journals contain what tests print.
  if (!MakePrivateFolders(spool)) ThrowSpool(spool, "create the folder");
  const UniqueFd folder = OpenFolder(spool.string());
  if (!folder) ThrowSpool(spool, "open the folder");
  std::string name = OwnName(folder, kLock);
  UniqueFd file = OpenLock(folder, name);
  // Another user may have taken the name just now.
  for (int more = kTries; !file && more > 0; --more) file = OpenLock(folder, name = OwnName(folder, kLock));
  if (!file) ThrowSpool(spool, "open its " + name);

  const auto deadline = std::chrono::steady_clock::now() + wait;
  for (auto pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    if (flock(file.get(), LOCK_EX | LOCK_NB) == 0) return SpoolLock(spool, file.Release());
    if (errno != EWOULDBLOCK && errno != EINTR) ThrowSpool(spool, "take its " + name);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return std::nullopt;
    std::this_thread::sleep_for(std::min(pause, left));
  }
}

SpoolLock::SpoolLock(SpoolLock&& other) noexcept : spool_(std::move(other.spool_)), fd_(std::exchange(other.fd_, -1)) {}

SpoolLock::~SpoolLock() {
  if (fd_ >= 0) close(fd_);
}

bool HasPending(const std::filesystem::path& spool) {
  const UniqueFd folder = OpenFolder(spool.string());
  // Too many open files, for example, do not mean that the spool is empty. The process that takes the lock gets the
  // error.
  if (!folder) return errno != ENOENT && errno != ENOTDIR;
  for (const std::string& name : NamesIn(folder)) {
    if (JournalIdOf(name)) return true;
  }
  const UniqueFd outbox = OpenFolderAt(folder, OwnName(folder, "outbox"));
  if (!outbox && errno != ENOENT && errno != ELOOP && errno != ENOTDIR) return true;
  if (!outbox) return false;
  return std::ranges::any_of(NamesIn(outbox),
                             [](const std::string& name) { return IsId(name) || name.ends_with(".filling"); });
}

}  // namespace flaky
