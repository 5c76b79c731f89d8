// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_JOURNAL_FILE_H_
#define FLAKY_RECORDER_JOURNAL_FILE_H_

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "errors.h"
#include "fixed_text.h"

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// A file that grows by fragments, written through a shared mapping. A published fragment is in the file even if the
// process is killed. No descriptor stays open, because tests close descriptors and reuse their numbers. Every page has
// its disk space before it is touched, because a store into a hole on a full disk raises SIGBUS. Not thread-safe.
class JournalFile {
 public:
  // The bytes after Room() that are kept free, so that the end can still be written when the file cannot grow.
  static constexpr std::size_t kTail = 1024;

  JournalFile() = default;
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;

  bool is_open() const { return open_; }

  // Creates the file, which must not exist, allocates `size` bytes, or `least` bytes if there is no space for more, and
  // maps them. Returns an errno; unless it is 0, there is no file.
  int Create(const Path& path, std::size_t size, std::size_t least) {
    page_ = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    path_ = path;
    position_ = file_size_ = 0;
    if (!path.complete()) return ENAMETOOLONG;
    // Checked first, so that no empty file is left when files may not grow.
    if (int error = CheckLimit(RoundUp(least)); error != 0) return error;
    const int fd = open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return errno;
    struct stat status = {};
    int error = fstat(fd, &status) == 0 ? 0 : errno;
    device_ = status.st_dev;
    inode_ = status.st_ino;
    if (error == 0) error = ExtendTo(fd, RoundUp(size));
    if (error != 0 && size > least) error = ExtendTo(fd, RoundUp(least));
    close(fd);
    if (error != 0) unlink(path_.c_str());
    open_ = error == 0;
    return error;
  }

  // Returns room for a fragment of up to `size` bytes, or nullptr and sets error(). The caller writes the fragment from
  // its second byte on and passes the first byte to Publish.
  char* Room(std::size_t size) {
    if (position_ + size + kTail > file_size_ && (error_ = Grow(size)) != 0) return nullptr;
    return Here();
  }

  // As Room(), but uses the tail and never grows the file.
  char* TailRoom(std::size_t size) {
    if (position_ + size > file_size_) return nullptr;
    return Here();
  }

  // Makes the bytes from Room() to `end` part of the file at once, by storing the first byte last.
  void Publish(char first, const char* end) {
    char* const begin = Here();
    __atomic_store_n(begin, first, __ATOMIC_RELEASE);
    position_ += static_cast<std::size_t>(end - begin);
  }

  // The position of the next fragment.
  std::size_t position() const { return position_; }

  // Removes what was published from `position` on. Returns false if that is no longer mapped. A reader sees either all
  // of the removed bytes or a NUL in their place.
  bool RewindTo(std::size_t position) {
    if (position < window_begin_ || position > position_) return false;
    const std::size_t size = position_ - position;
    position_ = position;
    if (size == 0) return true;
    __atomic_store_n(Here(), '\0', __ATOMIC_RELEASE);
    std::memset(Here() + 1, 0, size - 1);
    return true;
  }

  int error() const { return error_; }

  // Cuts the file to the pages that it needs. The mapping stays until the next Create or the end of the process, which
  // unmaps everything faster than we could.
  void Close() {
    if (!is_open()) return;
    open_ = false;
    if (RoundUp(position_) == file_size_) return;  // cutting within a page frees nothing and costs time
    if (truncate(path_.c_str(), static_cast<off_t>(position_)) != 0) {
      return;  // the NUL bytes at the end stay; readers expect them
    }
  }

 private:
  static constexpr std::size_t kStep = std::size_t{1} << 20;

  char* Here() { return window_ + (position_ - window_begin_); }
  std::size_t RoundUp(std::size_t size) const { return (size + page_ - 1) / page_ * page_; }

  // A file that exceeds the limit would raise SIGXFSZ.
  static int CheckLimit(std::size_t size) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0) return errno;
    return limit.rlim_cur == RLIM_INFINITY || size <= limit.rlim_cur ? 0 : EFBIG;
  }

  static int WriteNuls(int fd, std::size_t begin, std::size_t end) {
    constexpr std::size_t kBlock = 4096, kBlocks = 64;
    const char nuls[kBlock] = {};
    struct iovec blocks[kBlocks];
    std::fill_n(blocks, kBlocks, iovec{const_cast<char*>(nuls), kBlock});
    while (begin < end) {
      const std::size_t whole = std::min((end - begin) / kBlock, kBlocks);
      if (whole == 0) blocks[0].iov_len = end - begin;
      const ssize_t written = pwritev(fd, blocks, std::max(static_cast<int>(whole), 1), static_cast<off_t>(begin));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return written == 0 ? ENOSPC : errno;
      begin += static_cast<std::size_t>(written);
    }
    return 0;
  }

  // Makes the kernel prepare every page of the mapping for stores, up to `end` of the file. Returns an errno.
  int Prepare(int fd, char* mapped, std::size_t begin, std::size_t end) const {
#ifdef MADV_POPULATE_WRITE
    if (madvise(mapped, end - begin, MADV_POPULATE_WRITE) == 0) return 0;
    if (errno == EFAULT) return ENOSPC;  // a store would have raised SIGBUS
#else
    static_cast<void>(mapped), static_cast<void>(begin);
#endif
    // Linux before 5.14, or a sandbox forbids the call: reserves the space that the file system may only have promised.
    int error;
    do {
      error = posix_fallocate(fd, static_cast<off_t>(file_size_), static_cast<off_t>(end - file_size_));
    } while (error == EINTR);
    return error;
  }

  // Extends the file to `size` and replaces the window by a mapping that begins with the position's page. NULs are
  // written instead of allocating: they take disk space as an allocation does, in a quarter of the time on ext4. There,
  // each allocated page costs a transaction when it is first touched.
  int ExtendTo(int fd, std::size_t size) {
    if (int error = CheckLimit(size); error != 0) return error;
    const std::size_t begin = position_ / page_ * page_;
    void* mapped = MAP_FAILED;
    int error = WriteNuls(fd, file_size_, size);
    if (error == 0) {
      mapped = mmap(nullptr, size - begin, PROT_READ | PROT_WRITE, MAP_SHARED, fd, static_cast<off_t>(begin));
      error = mapped == MAP_FAILED ? errno : Prepare(fd, static_cast<char*>(mapped), begin, size);
    }
    if (error != 0) {
      if (mapped != MAP_FAILED) munmap(mapped, size - begin);
      // Give the space back: the disk is probably full.
      [[maybe_unused]] const int cut = ftruncate(fd, static_cast<off_t>(file_size_));
      return error;
    }
    if (window_ != nullptr) munmap(window_, window_size_);
    window_ = static_cast<char*>(mapped);
    window_begin_ = begin;
    window_size_ = size - begin;
    file_size_ = size;
    return 0;
  }

  int Grow(std::size_t size) {
    const ErrnoKept kept;
    const std::size_t least = RoundUp(position_ + size + kTail);
    const int fd = open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return errno;
    struct stat status = {};
    int error = fstat(fd, &status) == 0 ? 0 : errno;
    // After a chroot or a clean-up of the spool, the path may name a different file.
    if (error == 0 && (status.st_dev != device_ || status.st_ino != inode_)) error = ESTALE;
    if (error == 0) {
      error = ExtendTo(fd, std::max(least, file_size_ + kStep));
      if (error != 0 && least < file_size_ + kStep) error = ExtendTo(fd, least);
    }
    close(fd);
    return error;
  }

  bool open_ = false;
  Path path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  std::size_t page_ = 0;
  std::size_t position_ = 0;   // in the file, of the next fragment
  std::size_t file_size_ = 0;  // allocated
  char* window_ = nullptr;     // maps [window_begin_, file_size_)
  std::size_t window_begin_ = 0, window_size_ = 0;
  int error_ = 0;
};

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_JOURNAL_FILE_H_
