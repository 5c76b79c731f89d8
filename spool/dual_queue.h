// SPDX-License-Identifier: MIT
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

// The queue of a dual write: records that the first store has and the second store has not received yet. On disk:
//
// clang-format off
//   <spool>/dual/<number>-<unique>-<holder>.jsonl   records (docs/reference/jsonl.md) that the store <holder> has
//   <spool>/dual/*.part                             being written; not usable
//   <spool>/dual/.lock                              locked (flock) by the process that sends
//   <spool>/dual/.trouble                           why the last attempt to send failed
// clang-format on
//
// The delivery to the first store writes a file for each batch, as that store holds it, before it removes the journals.
// So a process that dies at any point leaves the journals, the file or both, and records that are sent twice add
// nothing. Sending needs no spool lock, so it never delays the first store. docs/adr/0012-dual-write.md explains why.
namespace flaky {

// The name of the queue's folder, except for a project whose file names the stores (ResolvedSettings::dual_queue).
// Every function here takes the name in force.
inline constexpr char kDualQueue[] = "dual";

// Returns the queue's folder in a spool, which may not exist yet.
std::filesystem::path DualFolder(const std::filesystem::path& spool, const std::string& queue = kDualQueue);

// Returns what identifies the store with this display name in the names of waiting files: 16 hexadecimal digits, the
// same on every machine.
std::string StoreFingerprint(const std::string& store);

// Writes the records of a delivery to the queue. The spool's lock must outlive it. Not thread-safe.
class DualWriter {
 public:
  // `holder`: the display name of the store that has the records.
  DualWriter(const SpoolLock& lock, const std::string& holder, const std::string& queue = kDualQueue);

  // Throws StoreError. Then nothing of the batch is in the queue, and the next call begins a new batch.
  void Add(RunRecord record);
  // Ends the batch. The records are durable when it returns. Does nothing if none was added. Throws as Add.
  void Flush();

 private:
  void Begin();

  const std::filesystem::path spool_, folder_;
  const std::string holder_, queue_;
  std::optional<NewFile> file_;
  std::optional<JsonlWriter> writer_;
};

struct WaitingFile {
  std::string name;
  std::string holder;  // as StoreFingerprint
};

// Returns the waiting files, oldest first. Needs no lock.
std::vector<WaitingFile> ListWaiting(const std::filesystem::path& spool, const std::string& queue = kDualQueue);

// How much is waiting, for messages.
struct WaitingSummary {
  int64_t runs = 0;                // distinct
  std::optional<Timestamp> since;  // when the first of them was written
  int64_t unreadable = 0;          // files that could not be read completely
};
WaitingSummary SummaryOfWaiting(const std::filesystem::path& spool, const std::string& queue = kDualQueue);

// Why the last attempt to send failed, in one line, and when.
struct DualTrouble {
  std::string what;
  Timestamp at;
};
// Returns nullopt if the last attempt succeeded.
std::optional<DualTrouble> LastDualTrouble(const std::filesystem::path& spool, const std::string& queue = kDualQueue);
// Stores the trouble, or removes it if `what` is empty. Does nothing if the note cannot be written.
void NoteDualTrouble(const std::filesystem::path& spool, const std::string& what,
                     const std::string& queue = kDualQueue);

// Exclusive use of the waiting files for sending, until destroyed.
class SendLock {
 public:
  // Returns nullopt if another process sends, or if there is no queue. Throws StoreError.
  static std::optional<SendLock> Take(const std::filesystem::path& spool, const std::string& queue = kDualQueue);
  const std::filesystem::path& spool() const { return spool_; }
  const std::filesystem::path& folder() const { return folder_; }  // the queue's

 private:
  SendLock(std::filesystem::path spool, std::filesystem::path folder, UniqueFd file)
      : spool_(std::move(spool)), folder_(std::move(folder)), file_(std::move(file)) {}
  std::filesystem::path spool_, folder_;
  UniqueFd file_;
};

}  // namespace flaky

#endif  // FLAKY_SPOOL_DUAL_QUEUE_H_
