#ifndef FLAKY_SPOOL_DUAL_QUEUE_H_
#define FLAKY_SPOOL_DUAL_QUEUE_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "spool/spool.h"
#include "transfer/jsonl_writer.h"
#include "transfer/new_file.h"
#include "transfer/source.h"

// What the first store of a dual write has and the second one is still to get. On disk:
//
// clang-format off
//   <spool>/dual/<number>-<unique>-<holder>.jsonl   records (docs/reference/jsonl.md) that the store <holder> has
//   <spool>/dual/*.part                             being written; worth nothing
//   <spool>/dual/.lock                              held (flock) by the one process that sends
//   <spool>/dual/.trouble                           why the last attempt to send failed
// clang-format on
//
// The delivery to the first store writes a file for each batch, as that store holds it, before it removes the journals.
// So whoever dies anywhere leaves the journals, the file, or both, and records that are sent twice add nothing. Sending
// needs no spool lock and so never delays the first store. docs/adr/0012-dual-write.md says why it is so.
namespace flaky {

// The store that is shown so (Location::shown) in the names of waiting files: 16 hexadecimal digits, the same on every
// machine.
std::string StoreFingerprint(const std::string& store);

// Takes the records of a delivery down. The spool's lock must be held as long as it lives. For one thread.
class DualWriter {
 public:
  // `holder`: the store that has what is added, as it is shown.
  DualWriter(const SpoolLock& lock, const std::string& holder);

  // Throws StoreError; then nothing of the batch is there, and the next one begins anew.
  void Add(RunRecord record);
  // Ends the batch: what was added is durable when it returns. Nothing where nothing was added. Throws as Add.
  void Flush();

 private:
  void Begin();

  const std::filesystem::path folder_;
  const std::string holder_;
  std::optional<NewFile> file_;
  std::optional<JsonlWriter> writer_;
};

struct WaitingFile {
  std::string name;
  std::string holder;  // as StoreFingerprint
};

// Those that wait, the oldest first. Needs no lock.
std::vector<WaitingFile> ListWaiting(const std::filesystem::path& spool);

// How much waits, for people.
struct WaitingSummary {
  int64_t runs = 0;                // distinct
  std::optional<Timestamp> since;  // when the first of them was written down
  int64_t unreadable = 0;          // files that could not be read to their end
};
WaitingSummary SummaryOfWaiting(const std::filesystem::path& spool);

// Why the last attempt to send failed, in one line, and when; absent after one that succeeded.
struct DualTrouble {
  std::string what;
  Timestamp at;
};
std::optional<DualTrouble> LastDualTrouble(const std::filesystem::path& spool);
// Notes it, or with an empty text that there is none. Where that cannot be written, it is not.
void NoteDualTrouble(const std::filesystem::path& spool, const std::string& what);

// Exclusive use of the waiting files for sending, until destroyed. Absent where another process sends, or where there
// is nothing to send.
class SendLock {
 public:
  static std::optional<SendLock> Take(const std::filesystem::path& spool);
  const std::filesystem::path& spool() const { return spool_; }

 private:
  SendLock(std::filesystem::path spool, UniqueFd file) : spool_(std::move(spool)), file_(std::move(file)) {}
  std::filesystem::path spool_;
  UniqueFd file_;
};

}  // namespace flaky

#endif  // FLAKY_SPOOL_DUAL_QUEUE_H_
