#ifndef FLAKY_TRANSFER_COPY_H_
#define FLAKY_TRANSFER_COPY_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "history/digest.h"
#include "transfer/progress.h"
#include "transfer/sink.h"
#include "transfer/source.h"

namespace flaky {

// What became of one record, once its batch is settled.
enum class CopyOutcome {
  kCopied,     // the target did not have it
  kCompleted,  // the target had only some of it
  kUnchanged,  // the target had all of it
  kConflict,   // the target holds a different record with this id, and keeps it
  kReplaced,   // the target held a different record with this id, and now holds this one
  kDiffers,    // written, but it reads back differently from what was sent
};

// What to do about a run for which the target holds a record that contradicts the source's.
enum class OnConflict {
  kKeep,     // the target keeps its own
  kReplace,  // the target takes the source's
  kEnd,      // the target keeps its own, and the copy ends
};

struct CopyOptions {
  BatchLimits limits;
  bool dry_run = false;  // does everything except write
  OnConflict on_conflict = OnConflict::kKeep;
  bool strict = false;     // a record that would have to be converted ends the copy
  bool look_first = true;  // first checks whether the target has the runs; false: assumes that the first ones are new

  // Asked after each settled batch, on the thread that called Copy, until it returns true. The copy then ends once the
  // batches in flight are written and settled. Only a question: it needs no side effects.
  std::function<bool()> stop;

  // Called for each record, on the thread that called Copy, after its batch was written and verified. From then on the
  // source may release the record. `why` is empty except for kConflict, kReplaced and kDiffers.
  std::function<void(const RunRecord& record, CopyOutcome outcome, const std::string& why)> on_settled;

  // Called once after the on_settled calls of each batch, on the same thread and before `stop` is asked. This includes
  // the last batch and those that were in flight when the copy was stopped.
  std::function<void()> on_batch_settled;
};

struct CopyFinding {
  std::string run_id;
  CopyOutcome fate;
  std::string why;
};

struct CopySummary {
  int64_t runs = 0;  // all that were read; the six below add up to it
  int64_t copied = 0;
  int64_t completed = 0;
  int64_t unchanged = 0;
  int64_t conflicts = 0;
  int64_t replaced = 0;
  int64_t differing = 0;
  int64_t parts = 0;
  int64_t failures = 0;   // of all that were read
  int64_t ahead = 0;      // among all but conflicts and differing: the target holds more than the source
  int64_t sent = 0;       // passed to the target to write; the others were already there
  int64_t converted = 0;  // of all that were read: not exactly what the source holds (stores/conversion.h)
  Digest source_digest;   // of all that were read, as they were sent
  Digest target_digest;   // of the same runs as the target holds them; equals source_digest if no run is ahead, in
                          // conflict or different
  bool stopped = false;   // CopyOptions::stop returned true
  bool gave_up = false;   // because of a conflict, under OnConflict::kEnd
  std::vector<CopyFinding> findings;         // conflicts (replaced ones too) and differences; the first kMaxFindings
  std::vector<ConvertedRun> converted_runs;  // the first kMaxFindings

  static constexpr size_t kMaxFindings = 1000;
  bool Verified() const { return conflicts == 0 && differing == 0; }
};

// Adds `runs` to `count`, and to `first` until that holds CopySummary::kMaxFindings runs.
void AddConverted(std::vector<ConvertedRun> runs, int64_t& count, std::vector<ConvertedRun>& first);

// Copies everything from the source to the sink in batches. While one batch is read, the previous one is written and
// the one before that is read back, each on a separate thread. Before records are sent, they are converted to what the
// sink can hold (transfer/record_converter.h). A record counts only after it was read back and compared with what was
// sent: it must be equal by digest, or contain what was sent (history/merge.h).
//
// Calling it again completes what is missing, even after the process was killed at any point. A batch that the sink
// already holds (each record equal by digest or containing what would be sent) is not sent. As long as batches are
// found in the sink, the next one is looked up before it is sent. After a batch that is not found at all, batches are
// sent without a look-up, until a batch turns out to have been there in part.
//
// Memory is bounded by six batches. Throws StoreError from either side; what was settled before that stays settled.
CopySummary Copy(Source& source, Sink& sink, const CopyOptions& options, Progress& progress);

}  // namespace flaky

#endif  // FLAKY_TRANSFER_COPY_H_
