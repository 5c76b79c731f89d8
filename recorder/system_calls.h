// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_SYSTEM_CALLS_H_
#define FLAKY_RECORDER_SYSTEM_CALLS_H_

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include <cstddef>
#include <cstdint>

#include "raw_call.h"

// The system calls that the recorder makes. All of them return a negative errno if they fail; errno stays as it is.
// The headers above are included for types and constants only: no function of theirs is called.
#pragma GCC visibility push(hidden)
namespace flaky_recorder::sys {

// Time as the kernel of a 64-bit processor has it. Others convert.
struct Time {
  std::int64_t seconds, nanoseconds;
};

inline long ClockGetTime(int clock, Time& time) {
#if defined(__LP64__)
  const long result = RawCall(SYS_clock_gettime, clock, Word(&time));
  NoteWritten(&time, sizeof time);
#else
  long result = -ENOSYS;
#if defined(SYS_clock_gettime64)
  result = RawCall(SYS_clock_gettime64, clock, Word(&time));
#endif
#if defined(SYS_clock_gettime)
  if (result == -ENOSYS) {
    long parts[2] = {};
    result = RawCall(SYS_clock_gettime, clock, Word(parts));
    time = {parts[0], parts[1]};
  }
#endif
#endif
  return result;
}

inline long OpenAt(int folder, const char* path, int flags, mode_t mode = 0) {
  return RawCall(SYS_openat, folder, Word(path), flags, static_cast<long>(mode));
}
inline long Open(const char* path, int flags, mode_t mode = 0) { return OpenAt(AT_FDCWD, path, flags, mode); }
inline long Close(int fd) { return RawCall(SYS_close, fd); }

inline long Read(int fd, void* buffer, std::size_t size) {
  const long result = RawCall(SYS_read, fd, Word(buffer), static_cast<long>(size));
  if (result > 0) NoteWritten(buffer, static_cast<std::size_t>(result));
  return result;
}
inline long Write(int fd, const void* data, std::size_t size) {
  return RawCall(SYS_write, fd, Word(data), static_cast<long>(size));
}
inline long WriteVector(int fd, const iovec* pieces, int count) { return RawCall(SYS_writev, fd, Word(pieces), count); }
inline long WriteVectorAt(int fd, const iovec* pieces, int count, std::int64_t offset) {
  const long high = sizeof(long) == 8 ? 0 : static_cast<long>(offset >> 32);
  return RawCall(SYS_pwritev, fd, Word(pieces), count, static_cast<long>(offset), high);
}

// What fstat() and stat() say, as far as the recorder needs it.
struct Status {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::uint32_t mode = 0, user = 0;
};

// `path` "" with AT_EMPTY_PATH asks about the descriptor itself.
inline long StatusAt(int folder, const char* path, int flags, Status& status) {
#if defined(__LP64__) && defined(SYS_newfstatat)
  struct stat got = {};  // on these processors the C libraries have the kernel's layout
  const long result = RawCall(SYS_newfstatat, folder, Word(path), Word(&got), flags);
  if (result < 0) return result;
  NoteWritten(&got, sizeof got);
  status = {got.st_dev, got.st_ino, static_cast<std::uint64_t>(got.st_size), got.st_mode, got.st_uid};
#else
  struct statx got = {};
  const long result = RawCall(SYS_statx, folder, Word(path), flags, STATX_BASIC_STATS, Word(&got));
  if (result < 0) return result;
  NoteWritten(&got, sizeof got);
  status = {(std::uint64_t{got.stx_dev_major} << 32) + got.stx_dev_minor, got.stx_ino, got.stx_size, got.stx_mode,
            got.stx_uid};
#endif
  return 0;
}
inline long StatusOf(const char* path, Status& status) { return StatusAt(AT_FDCWD, path, 0, status); }
inline long StatusOfLink(const char* path, Status& status) {
  return StatusAt(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, status);
}
inline long StatusOf(int fd, Status& status) { return StatusAt(fd, "", AT_EMPTY_PATH, status); }

// Returns 0 if the file may be used as `mode` (X_OK and so on) says, by the real user id, as access().
inline long Access(const char* path, int mode) { return RawCall(SYS_faccessat, AT_FDCWD, Word(path), mode); }
inline long MakeFolder(const char* path, mode_t mode) {
  return RawCall(SYS_mkdirat, AT_FDCWD, Word(path), static_cast<long>(mode));
}
inline long Unlink(const char* path) { return RawCall(SYS_unlinkat, AT_FDCWD, Word(path), 0); }
inline long Rename(const char* from, const char* to) {
#if defined(SYS_renameat)
  return RawCall(SYS_renameat, AT_FDCWD, Word(from), AT_FDCWD, Word(to));
#else
  return RawCall(SYS_renameat2, AT_FDCWD, Word(from), AT_FDCWD, Word(to), 0);
#endif
}
// The new size must be below 2 GiB on a 32-bit processor.
inline long Truncate(const char* path, std::int64_t size) {
  return RawCall(SYS_truncate, Word(path), static_cast<long>(size));
}
inline long TruncateOpen(int fd, std::int64_t size) { return RawCall(SYS_ftruncate, fd, static_cast<long>(size)); }
inline long ReadLink(const char* path, char* target, std::size_t size) {
  const long result = RawCall(SYS_readlinkat, AT_FDCWD, Word(path), Word(target), static_cast<long>(size));
  if (result > 0) NoteWritten(target, static_cast<std::size_t>(result));
  return result;
}
// Writes the working folder and a NUL. Returns the number of bytes before the NUL.
inline long GetWorkingFolder(char* path, std::size_t size) {
  const long result = RawCall(SYS_getcwd, Word(path), static_cast<long>(size));
  if (result <= 0) return result;
  NoteWritten(path, static_cast<std::size_t>(result));
  return result - 1;
}
inline long ChangeFolder(const char* path) { return RawCall(SYS_chdir, Word(path)); }

// Returns the magic number of the file system that the file is on.
inline long FileSystemOf(int fd) {
  long words[32] = {};  // more than any kernel's struct statfs, which begins with the magic number
  const long result = RawCall(SYS_fstatfs, fd, Word(words));
  NoteWritten(words, sizeof words);
  return result < 0 ? result : static_cast<long>(static_cast<std::uint32_t>(words[0]));
}

// Reserves disk space for a part of the file.
inline long Allocate([[maybe_unused]] int fd, [[maybe_unused]] std::int64_t offset,
                     [[maybe_unused]] std::int64_t size) {
#if defined(__LP64__)
  return RawCall(SYS_fallocate, fd, 0, static_cast<long>(offset), static_cast<long>(size));
#else
  return -EOPNOTSUPP;
#endif
}

// `offset` must be a multiple of the page size.
inline void* Map(std::size_t size, int protection, int flags, int fd, std::int64_t offset, long& error) {
#if defined(SYS_mmap2)
  const long result =
      RawCall(SYS_mmap2, 0, static_cast<long>(size), protection, flags, fd, static_cast<long>(offset / 4096));
#else
  const long result = RawCall(SYS_mmap, 0, static_cast<long>(size), protection, flags, fd, static_cast<long>(offset));
#endif
  error = result < 0 && result > -4096 ? result : 0;
  if (error != 0) return nullptr;
  void* const mapped = reinterpret_cast<void*>(result);
  NoteWritten(mapped, size);
  return mapped;
}
// Returns -EFAULT, without a signal, if a store to the four bytes at `word` is not possible, because their file was
// cut or the disk is full. The kernel adds 0 to them, in a call that sandboxes allow for their locks.
inline long CheckStore(const void* word) {
  static std::uint32_t nobody_waits = 0;
  constexpr long kWakeAndAdd = 5 | 128, kAddNothing = 1 << 28;  // FUTEX_WAKE_OP_PRIVATE, FUTEX_OP_ADD
  return RawCall(SYS_futex, Word(&nobody_waits), kWakeAndAdd, 0, 0, Word(word), kAddNothing);
}
inline long Unmap(void* begin, std::size_t size) { return RawCall(SYS_munmap, Word(begin), static_cast<long>(size)); }
inline long Advise(void* begin, std::size_t size, int advice) {
  return RawCall(SYS_madvise, Word(begin), static_cast<long>(size), advice);
}

// Returns the current limit, or a negative errno; RLIM_INFINITY is INT64_MAX.
inline std::int64_t LimitOf(int resource) {
  std::uint64_t limit[2] = {};
  const long result = RawCall(SYS_prlimit64, 0, resource, 0, Word(limit));
  NoteWritten(limit, sizeof limit);
  if (result < 0) return result;
  return limit[0] > std::uint64_t{INT64_MAX} ? INT64_MAX : static_cast<std::int64_t>(limit[0]);
}
inline long Uname(utsname& name) {
  const long result = RawCall(SYS_uname, Word(&name));
  NoteWritten(&name, sizeof name);
  return result;
}
inline long GetRandom(void* bytes, std::size_t size, unsigned flags) {
  const long result = RawCall(SYS_getrandom, Word(bytes), static_cast<long>(size), static_cast<long>(flags));
  if (result > 0) NoteWritten(bytes, static_cast<std::size_t>(result));
  return result;
}
inline long Yield() { return RawCall(SYS_sched_yield); }

inline pid_t GetPid() { return static_cast<pid_t>(RawCall(SYS_getpid)); }
inline pid_t GetParentPid() { return static_cast<pid_t>(RawCall(SYS_getppid)); }
inline pid_t GetThreadId() { return static_cast<pid_t>(RawCall(SYS_gettid)); }
#if defined(SYS_getuid32)
inline uid_t GetUser() { return static_cast<uid_t>(RawCall(SYS_getuid32)); }
inline uid_t GetEffectiveUser() { return static_cast<uid_t>(RawCall(SYS_geteuid32)); }
#else
inline uid_t GetUser() { return static_cast<uid_t>(RawCall(SYS_getuid)); }
inline uid_t GetEffectiveUser() { return static_cast<uid_t>(RawCall(SYS_geteuid)); }
#endif

}  // namespace flaky_recorder::sys
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_SYSTEM_CALLS_H_
