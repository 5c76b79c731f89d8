#ifndef FLAKY_TRANSFER_SPOOL_H_
#define FLAKY_TRANSFER_SPOOL_H_

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transfer/journal.h"
#include "transfer/source.h"

// The spool: the folder of journals that wait to be delivered. On disk:
//
// clang-format off
//   <spool>/<journal_id>.jsonl           being written, or ended and not yet delivered
//   <spool>/outbox/.<part_id>.filling/   journals on their way into a sealed part; as good as in the spool itself
//   <spool>/outbox/<part_id>/*.jsonl     sealed: these journals together are the part, and no others ever will be
//   <spool>/outbox/.<part_id>.done/      delivered, about to be removed
//   <spool>/rejected/<name>              could not be read or contradicts the store; <name>.reason beside it says why
//   <spool>/dual/                        what the second store of a dual write is to get (transfer/dual_queue.h)
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

// What is known of the code and machine when journals are delivered, for one working folder.
struct RunContext {
  std::optional<std::string> project;
  std::filesystem::path root;  // of the repository; empty: none. Source files below it are named relative to it
  std::optional<std::string> git_sha, tree_sha, branch, ci_url;
  std::optional<bool> git_dirty;
};

// Gives the context of a journal. Called once per part, with its first journal, on the thread that calls
// SpoolSource::Next.
using ContextOf = std::function<RunContext(const Journal&)>;

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

struct SpoolReport {
  int64_t running = 0;   // journals left alone because their process, or the ctest around it, still runs
  int64_t rejected = 0;  // moved to rejected/
  int64_t newer = 0;     // left alone: of a later format
  std::vector<std::string>
      messages;  // one per journal that was rejected, is newer or could not be opened: name and reason
};

// Seals what is ready and yields it as records, one run id at a time. A process that is a part by itself is ready when
// it has ended or died; processes below one ctest when that ctest has ended. What was sealed earlier for a run comes
// along as further parts of its record. What is ready is decided once, at the first call of Expected or Next. Next may
// run on a thread beside the other members; report may not run beside Next.
class SpoolSource : public Source {
 public:
  // The lock must be held as long as the source lives. `complete` is a group to which nothing will be added any more,
  // though its ctest still runs; empty: none.
  SpoolSource(const SpoolLock& lock, ContextOf context, std::string complete = "");
  ~SpoolSource() override;

  // Changes nothing in the spool.
  std::optional<Totals> Expected() override;

  // Moves what cannot be read to rejected/ and removes what earlier deliveries left. Next does this first.
  void Tidy();

  // Journals that turn out to be damaged are rejected on the way. Throws StoreError (kPermanent) when the spool cannot
  // be changed.
  std::optional<Batch> Next(const BatchLimits& limits) override;

  // Removes the journals of a run that Next gave and that is now in the store.
  void Delivered(const std::string& run_id);
  // Moves them to rejected/, for the given reason.
  void Reject(const std::string& run_id, const std::string& reason);

  const std::string& name() const override;
  const SpoolReport& report() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// The run that a journal belongs to: FLAKY_TESTS_RUN_ID where it was set, else one id for all processes of one command
// of Bazel, else one for all below one ctest, else the process's own. And the part: all processes below one ctest are
// one part, and so are shards of one program that one parent started and that ran at the same time; any other process
// is one by itself, however many are delivered at once. So what the store holds does not depend on when deliveries
// happened. The run of such shards is that of the one whose journal has the smallest id, where no run id was set.
struct RunKinship {
  std::string run_id;
  std::string group;         // equal for journals of one part; the journal's own id for a part by itself
  bool below_ctest = false;  // the parent is a ctest
  bool is_shard = false;     // `group` is that of its parent's shards
};
RunKinship KinshipOf(const Journal& journal);

// RunKinship::group of the processes below this ctest that belong to the fixture; empty where the ctest is not known.
// Those that belong to none are a group, and so a part, of their own: CTest sees to it that none of the fixture's come
// after its clean-up, and says nothing of the others.
std::string GroupBelowCtest(const JournalWriter& ctest, const std::string& fixture);

// The record that journals sealed as one part are. Their order does not matter. Precondition: there is one at least.
RunRecord RecordOf(const std::string& run_id, const std::string& part_id, const std::vector<Journal>& journals,
                   const RunContext& context);

}  // namespace flaky

#endif  // FLAKY_TRANSFER_SPOOL_H_
