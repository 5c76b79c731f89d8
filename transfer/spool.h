#ifndef FLAKY_TRANSFER_SPOOL_H_
#define FLAKY_TRANSFER_SPOOL_H_

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "transfer/journal.h"
#include "transfer/source.h"

// The spool: the folder of journals that wait to be delivered. On disk:
//
//   <spool>/<journal_id>.jsonl            being written, or ended and not yet delivered
//   <spool>/outbox/<part_id>/*.jsonl      sealed: these journals together are the part <part_id>, and no others ever will be
//   <spool>/rejected/<name>               what could not be read or contradicts the store, with <name>.reason beside it
//   <spool>/.lock                         held (flock) by the one process that delivers
//
// Sealing comes before the first attempt to write, so every later attempt sends the same part under the same id.
namespace flaky {

// What is known of the code and machine when journals are delivered, for one working folder.
struct RunContext {
  std::optional<std::string> project;
  std::filesystem::path root;  // of the repository; empty: none. Source files below it are named relative to it
  std::optional<std::string> git_sha, tree_sha, branch, ci_url;
  std::optional<bool> git_dirty;
};

// Gives the context of a journal. Called once per sealed part, with its first journal.
using ContextOf = std::function<RunContext(const Journal&)>;

// Exclusive use of a spool, until destroyed.
class SpoolLock {
 public:
  // Waits up to `wait` for the lock. Absent when another process kept it all the while. Creates the spool where it is missing.
  // Throws StoreError (kMissing or kPermanent) when the folder cannot be used.
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
  std::vector<std::string> messages;  // one per rejected or newer journal: name and reason
};

// Seals what is ready and yields it as records, one run id at a time: journals of one run id that are ready together make one
// part. A process alone is ready when it has ended or died; processes below one ctest when that ctest has ended.
class SpoolSource : public Source {
 public:
  // The lock must be held as long as the source lives.
  SpoolSource(const SpoolLock& lock, ContextOf context);
  ~SpoolSource() override;

  const std::string& name() const override;
  std::optional<Totals> Expected() override;
  std::optional<Batch> Next(const BatchLimits& limits) override;

  // Removes the sealed journals of a run that is now in the store.
  void Delivered(const std::string& run_id);
  // Moves them to rejected/, for the given reason.
  void Reject(const std::string& run_id, const std::string& reason);

  const SpoolReport& report() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// The record that journals sealed as one part are.
RunRecord RecordOf(const std::string& run_id, const std::string& part_id, const std::vector<Journal>& journals,
                   const RunContext& context);

}  // namespace flaky

#endif  // FLAKY_TRANSFER_SPOOL_H_
