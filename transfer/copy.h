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

// What became of one record, once that is certain.
enum class CopyOutcome {
  kCopied,     // the target did not have it
  kCompleted,  // the target had less of it
  kUnchanged,  // the target had all of it
  kConflict,   // the target has another record of this id, and keeps it
  kReplaced,   // the target had another record of this id, and has this one now
  kDiffers,    // written, but what was read back is not what was sent
};

// What is done about a run of which the target has another record that contradicts the source's.
enum class OnConflict {
  kKeep,     // the target keeps its own
  kReplace,  // the target gets the source's
  kEnd,      // the target keeps its own, and the copy ends there
};

struct CopyOptions {
  BatchLimits limits;
  bool dry_run = false;  // everything but the writing
  OnConflict on_conflict = OnConflict::kKeep;
  bool strict = false;     // what would have to be converted ends the copy
  bool look_first = true;  // begins by looking whether the target has the runs; false: takes the first ones for new

  // Asked after each batch; true ends the copy once the batches in flight are written and settled.
  std::function<bool()> stop;

  // Told of each record, on the thread that called Copy, after its batch was written and verified: from then on the
  // source may let it go. `why` is empty but for kConflict and kDiffers.
  std::function<void(const RunRecord& record, CopyOutcome fate, const std::string& why)> on_settled;
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
  int64_t ahead = 0;      // of the unchanged and completed: the target has more than the source
  int64_t sent = 0;       // given to the target to write; the others were there, by digest
  int64_t converted = 0;  // of all that were read: not quite what the source holds (stores/conversion.h)
  Digest source_digest;   // of all that were read, as they were sent
  Digest target_digest;   // of the same runs as the target holds them; equal to source_digest where nothing is ahead or
                          // differs
  bool stopped = false;   // because it was asked to
  bool gave_up = false;   // because of a conflict, under OnConflict::kEnd
  std::vector<CopyFinding> findings;         // conflicts, also replaced ones, and differences; the first kMaxFindings
  std::vector<ConvertedRun> converted_runs;  // the first kMaxFindings

  static constexpr size_t kMaxFindings = 1000;
  bool Verified() const { return conflicts == 0 && differing == 0; }
};

// Adds runs to a count and to the first CopySummary::kMaxFindings of them.
void AddConverted(std::vector<ConvertedRun> runs, int64_t& count, std::vector<ConvertedRun>& first);

// Sends everything from the source to the sink in batches; while one is read, the one before it is written and the one
// before that is read back, each on a thread of its own. Records are made to fit into the sink
// (transfer/record_converter.h) before they are sent. Each batch is read back and compared with what was sent before it
// counts: equal by digest, or containing it (history/merge.h).
//
// Running it again, also after it was killed at any point, completes what is missing. A batch that the sink holds,
// equal by digest or containing it, is not sent: so long as batches are found there, the next one is looked for before
// it is sent, and where one is not found, those behind it are sent at once until one turns out to have been there in
// part.
//
// Memory is bounded by six batches. Throws StoreError from either side; what was settled before stays so.
CopySummary Copy(Source& source, Sink& sink, const CopyOptions& options, Progress& progress);

}  // namespace flaky

#endif  // FLAKY_TRANSFER_COPY_H_
