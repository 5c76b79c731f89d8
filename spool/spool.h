#ifndef FLAKY_SPOOL_SPOOL_H_
#define FLAKY_SPOOL_SPOOL_H_

#include <chrono>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

// The spool: the folder of journals that wait to be delivered. On disk:
//
// clang-format off
//   <spool>/<journal_id>.jsonl           being written, or ended and not yet delivered
//   <spool>/outbox/.<part_id>.filling/   journals on their way into a sealed part; as good as in the spool itself
//   <spool>/outbox/<part_id>/*.jsonl     sealed: these journals together are the part, and no others ever will be
//   <spool>/outbox/.<part_id>.done/      delivered, about to be removed
//   <spool>/rejected/<name>              could not be read or contradicts the store; <name>.reason beside it says why
//   <spool>/dual/                        what the second store of a dual write is to get (spool/dual_queue.h)
//   <spool>/.lock                        held (flock) by the one process that delivers
//   <spool>/.ctest-<pid>-<start>         empty: `flaky deliver --after-ctest` waits for this ctest's end
// clang-format on
//
// Every step is one rename, so a process that dies anywhere leaves a state that the next one goes on from. Sealing
// comes before the first attempt to write, so every later attempt sends the same part under the same id. A journal that
// is a part by itself (that of a process alone) needs no sealing: its id is the part's.
namespace flaky {

// What the name of a waiting delivery's mark begins with.
inline constexpr std::string_view kCtestMark = ".ctest-";

// Exclusive use of a spool, until destroyed.
class SpoolLock {
 public:
  // Waits up to `wait` for the lock. Absent when another process kept it all the while. Creates the spool where it is
  // missing. Throws StoreError (kMissing or kPermanent) when the folder cannot be used.
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

// True if the spool holds anything that a delivery might take: a cheap look without the lock.
bool HasPending(const std::filesystem::path& spool);

}  // namespace flaky

#endif  // FLAKY_SPOOL_SPOOL_H_
