// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_DISK_SPACE_H_
#define FLAKY_RECORDER_DISK_SPACE_H_

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "system_calls.h"

// How a file gets its disk space before it is written through a mapping. The functions return an errno.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Returns true for a file system, by its magic number, on which a page that once had its disk space keeps it.
inline bool KeepsSpace(long file_system) {
  constexpr long kExt = 0xEF53, kTmpfs = 0x01021994, kRamfs = 0x858458F6;
  return file_system == kExt || file_system == kTmpfs || file_system == kRamfs;
}

// A file that exceeds the limit would raise SIGXFSZ.
inline int CheckFileLimit(std::size_t size) {
  const std::int64_t limit = sys::LimitOf(RLIMIT_FSIZE);
  if (limit < 0) return static_cast<int>(-limit);
  return static_cast<std::int64_t>(size) <= limit ? 0 : EFBIG;
}

inline int WriteNuls(int fd, std::size_t begin, std::size_t end) {
  constexpr std::size_t kBlock = 4096, kBlocks = 16;
  static char nuls[kBlock];
  iovec blocks[kBlocks];
  std::fill_n(blocks, kBlocks, iovec{nuls, kBlock});
  while (begin < end) {
    const std::size_t whole = std::min((end - begin) / kBlock, kBlocks);
    if (whole == 0) blocks[0].iov_len = end - begin;
    const long written =
        sys::WriteVectorAt(fd, blocks, std::max(static_cast<int>(whole), 1), static_cast<std::int64_t>(begin));
    if (written == -EINTR) continue;
    if (written <= 0) return written == 0 ? ENOSPC : static_cast<int>(-written);
    begin += static_cast<std::size_t>(written);
  }
  return 0;
}

// Makes the kernel prepare every page of a mapping for stores. The file was extended from `old_end` to `end`.
inline int MakeReady(int fd, void* mapped, std::size_t size, std::size_t old_end, std::size_t end) {
  constexpr int kPopulateWrite = 23;  // MADV_POPULATE_WRITE, since Linux 5.14
  const long error = sys::Advise(mapped, size, kPopulateWrite);
  if (error == 0) return 0;
  if (error == -EFAULT) return ENOSPC;  // a store would have raised SIGBUS
  // An older Linux, or a sandbox forbids the call: reserves the space that the file system may only have promised. If
  // that is not possible either, the NULs that were written have to suffice.
  long reserved = -EINTR;
  while (reserved == -EINTR) {
    reserved = sys::Allocate(fd, static_cast<std::int64_t>(old_end), static_cast<std::int64_t>(end - old_end));
  }
  return reserved == -ENOSPC || reserved == -EDQUOT ? static_cast<int>(-reserved) : 0;
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_DISK_SPACE_H_
