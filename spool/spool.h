// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_SPOOL_H_
#define FLAKY_SPOOL_SPOOL_H_

#include <chrono>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

// The spool: the folder of journals that wait for delivery. On disk:
//
// clang-format off
//   <spool>/<journal_id>.jsonl           being written, or complete and not yet delivered
//   <spool>/outbox/.<part_id>.filling/   journals that are being sealed; they count as in the spool itself
//   <spool>/outbox/<part_id>/*.jsonl     sealed: these journals are the part, and no journal is ever added
//   <spool>/outbox/.<part_id>.done/      delivered, will be removed
//   <spool>/rejected/<name>              cannot be read or contradicts the store; <name>.reason explains why
//   <spool>/dual/                        the queue for the second store of a dual write (spool/dual_queue.h)
//   <spool>/dual-<digits>/               the same, for the stores that one project's file names
//   <spool>/lists/<hash>                 all tests of a program, one per line; journals name it (spool/test_lists.h)
//   <spool>/.lock                        locked (flock) by the process that delivers
//   <spool>/.ctest-<pid>-<start>         empty; locked (flock) by the `flaky deliver --after-ctest` of this ctest
//   <spool>/trouble                      why a delivery in the background failed, for the next command of the user
// clang-format on
//
// In a spool that other users may write to, such as one in /tmp, they may have taken a name. Then OwnName
// (spool/spool_files.h) finds another one for the lock, outbox/, rejected/ and dual/.
//
// Every step is one rename, so a process that dies at any point leaves a state from which the next process continues. A
// part is sealed before the first attempt to write it, so every later attempt sends the same part under the same id. A
// journal that is a part by itself (of a process alone) need not be sealed: its id is the part's id.
namespace flaky {

// The prefix of the file that marks a waiting delivery.
inline constexpr std::string_view kCtestMark = ".ctest-";

// Exclusive use of a spool, until destroyed.
class SpoolLock {
 public:
  // Waits up to `wait` for the lock. Returns nullopt if another process holds it for that long. Creates the spool if it
  // is missing. Throws StoreError (kMissing or kPermanent) if the folder cannot be used.
  static std::optional<SpoolLock> Take(const std::filesystem::path& spool, std::chrono::milliseconds wait);

  SpoolLock(SpoolLock&& other) noexcept;
  SpoolLock& operator=(SpoolLock&&) = delete;
  ~SpoolLock();

  const std::filesystem::path& spool() const { return spool_; }

 private:
  SpoolLock(std::filesystem::path spool, int fd) : spool_(std::move(spool)), fd_(fd) {}
  std::filesystem::path spool_;
  int fd_;
};

// Returns true if the spool has anything that might be delivered, or if it cannot be read now. A cheap check without
// the lock. Throws StoreError (kPermanent) if a folder in it cannot be read.
bool HasPending(const std::filesystem::path& spool);

}  // namespace flaky

#endif  // FLAKY_SPOOL_SPOOL_H_
