// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_JOURNAL_FILE_H_
#define FLAKY_RECORDER_JOURNAL_FILE_H_

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "disk_space.h"
#include "fixed_text.h"
#include "system_calls.h"

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// A file that grows by fragments, written through a shared mapping. A published fragment is in the file even if the
// process is killed. No descriptor stays open, because tests close descriptors and reuse their numbers. Not
// thread-safe.
//
// A store into a mapping raises SIGBUS if the file system has no page for it. On ext4 and tmpfs, a page that once had
// its disk space keeps it, so only a file that was cut has no page. Every other file system may need new space at any
// store (btrfs, xfs with reflinks, f2fs, zfs), or hide one that does (overlay, network). There, the kernel is asked
// before each fragment, and elsewhere if a test may have cut the file.
class JournalFile {
 public:
  // The bytes after Room() that are kept free, so that the end can still be written when the file cannot grow.
  static constexpr std::size_t kTail = 1024;

  JournalFile() = default;
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;

  bool is_open() const { return open_; }

  // Creates the file, which must not exist, allocates `size` bytes, or `least` bytes if there is no space for more, and
  // maps them. `page` is the size of a page. Returns an errno; unless it is 0, there is no file.
  int Create(const Path& path, std::size_t size, std::size_t least, std::size_t page) {
    page_ = page;
    path_ = path;
    position_ = file_size_ = 0;
    error_ = 0;
    gone_ = false;
    if (!path.complete()) return ENAMETOOLONG;
    // Checked first, so that no empty file is left when files may not grow.
    if (int error = CheckFileLimit(RoundUp(least)); error != 0) return error;
    const int fd = static_cast<int>(sys::Open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (fd < 0) return -fd;
    sys::Status status;
    int error = static_cast<int>(-sys::StatusOf(fd, status));
    device_ = status.device;
    inode_ = status.inode;
    keeps_space_ = KeepsSpace(sys::FileSystemOf(fd));
    if (error == 0) error = ExtendTo(fd, RoundUp(size));
    if (error != 0 && size > least) error = ExtendTo(fd, RoundUp(least));
    sys::Close(fd);
    if (error != 0) sys::Unlink(path_.c_str());
    open_ = error == 0;
    return error;
  }

  // Returns room for a fragment of up to `size` bytes, or nullptr and sets error(). The caller writes the fragment from
  // its second byte on and passes the first byte to Publish. `is_intact`: no test can have cut the file since the last
  // call.
  char* Room(std::size_t size, bool is_intact) {
    if (is_gone()) return nullptr;
    if (position_ + size + kTail > file_size_ && (error_ = Grow(size)) != 0) return nullptr;
    return Checked(size, is_intact);
  }

  // As Room(), but uses the tail and never grows the file.
  char* TailRoom(std::size_t size, bool is_intact) {
    if (is_gone() || position_ + size > file_size_) return nullptr;
    return Checked(size, is_intact);
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
  // of the removed bytes or a NUL in their place. Precondition: Room() has returned room since the last test event.
  bool RewindTo(std::size_t position) {
    if (position < window_begin_ || position > position_) return false;
    const std::size_t size = position_ - position;
    if (!keeps_space_ && !HasPages(Here() - size, Here())) return false;
    position_ = position;
    if (size == 0) return true;
    __atomic_store_n(Here(), '\0', __ATOMIC_RELEASE);
    std::memset(Here() + 1, 0, size - 1);
    return true;
  }

  // Returns true if the file can be written again: the disk was full, and is no longer.
  bool Recovers(std::size_t size) {
    if (gone_ && error_ == ENOSPC && position_ + size <= file_size_ && HasPages(Here(), Here() + size)) gone_ = false;
    return !gone_;
  }

  // Leaves the file to the parent of this process.
  void Abandon() { open_ = false; }

  int error() const { return error_; }

  // Returns true if a test has cut or emptied the file, or the file system has no room for what it once had promised.
  // Nothing can be written any more.
  bool is_gone() const { return gone_; }

  // Cuts the file to the pages that it needs, if it has many more: a program that has filtered its system calls is not
  // always allowed to. The mapping stays until the next Create or the end of the process, which unmaps everything
  // faster than we could.
  void Close() {
    if (!is_open()) return;
    open_ = false;
    constexpr std::size_t kNotWorthACall = 65536;
    if (gone_ || file_size_ - RoundUp(position_) < kNotWorthACall) return;
    sys::Truncate(path_.c_str(), static_cast<std::int64_t>(position_));  // else NULs stay, which readers expect
  }

 private:
  static constexpr std::size_t kStep = std::size_t{1} << 20;

  char* Here() const { return window_ + (position_ - window_begin_); }
  std::size_t RoundUp(std::size_t size) const { return (size + page_ - 1) / page_ * page_; }

  char* Checked(std::size_t size, bool is_intact) {
    const char* const before = position_ > window_begin_ ? Here() - 1 : Here();
    if (((is_intact && keeps_space_) || HasPages(before, Here() + size)) && HasLastByte()) return Here();
    sys::Status status;
    const bool is_whole = sys::StatusOf(path_.c_str(), status) == 0 && status.size >= file_size_;
    error_ = is_whole ? ENOSPC : EFAULT;
    gone_ = true;
    return nullptr;
  }

  // Returns false if the file has no page for a byte of this part of the window. If a sandbox forbids to ask, the
  // answer is true.
  static bool HasPages(const char* at, const char* end) {
    constexpr std::uintptr_t kSmallestPage = 4096;
    for (; at < end; at += kSmallestPage - reinterpret_cast<std::uintptr_t>(at) % kSmallestPage) {
      if (sys::CheckStore(at - reinterpret_cast<std::uintptr_t>(at) % 4) == -EFAULT) return false;
    }
    return true;
  }

  // Returns false if the byte before the next fragment is gone: cutting a file within a page leaves NULs there.
  bool HasLastByte() const {
    return position_ == window_begin_ || __atomic_load_n(Here() - 1, __ATOMIC_RELAXED) != '\0';
  }

  // Extends the file to `size` and replaces the window by a mapping that begins with the position's page. NULs are
  // written instead of allocating: they take disk space as an allocation does, in a quarter of the time on ext4. There,
  // each allocated page costs a transaction when it is first touched.
  int ExtendTo(int fd, std::size_t size) {
    if (int error = CheckFileLimit(size); error != 0) return error;
    const std::size_t begin = position_ / page_ * page_;
    void* mapped = nullptr;
    int error = WriteNuls(fd, file_size_, size);
    if (error == 0) {
      long refused = 0;
      mapped =
          sys::Map(size - begin, PROT_READ | PROT_WRITE, MAP_SHARED, fd, static_cast<std::int64_t>(begin), refused);
      error = mapped == nullptr ? static_cast<int>(-refused) : MakeReady(fd, mapped, size - begin, file_size_, size);
    }
    if (error != 0) {
      if (mapped != nullptr) sys::Unmap(mapped, size - begin);
      sys::TruncateOpen(fd, static_cast<std::int64_t>(file_size_));  // give the space back: the disk is probably full
      return error;
    }
    if (window_ != nullptr) sys::Unmap(window_, window_size_);
    window_ = static_cast<char*>(mapped);
    window_begin_ = begin;
    window_size_ = size - begin;
    file_size_ = size;
    return 0;
  }

  int Grow(std::size_t size) {
    const std::size_t least = RoundUp(position_ + size + kTail);
    const int fd = static_cast<int>(sys::Open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (fd < 0) return -fd;
    sys::Status status;
    int error = static_cast<int>(-sys::StatusOf(fd, status));
    // After a chroot or a clean-up of the spool, the path may name a different file.
    if (error == 0 && (status.device != device_ || status.inode != inode_)) error = ESTALE;
    if (error == 0 && status.size < file_size_) {
      error = EFAULT;
      gone_ = true;
    }
    if (error == 0) {
      error = ExtendTo(fd, std::max(least, file_size_ + kStep));
      if (error != 0 && least < file_size_ + kStep) error = ExtendTo(fd, least);
    }
    sys::Close(fd);
    return error;
  }

  bool open_ = false;
  bool gone_ = false;
  bool keeps_space_ = false;
  Path path_;
  std::uint64_t device_ = 0, inode_ = 0;
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
