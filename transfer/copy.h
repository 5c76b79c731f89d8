#ifndef FLAKY_TRANSFER_COPY_H_
#define FLAKY_TRANSFER_COPY_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "history/digest.h"
#include "transfer/fit.h"
#include "transfer/progress.h"
#include "transfer/sink.h"
#include "transfer/source.h"

namespace flaky {

// What became of one record, once that is certain.
enum class Fate {
  kCopied,     // the target did not have it
  kCompleted,  // the target had less of it
  kUnchanged,  // the target had all of it
  kConflict,   // the target has another record of this id, and keeps it
  kDiffers,    // written, but what was read back is not what was sent
};

struct CopyOptions {
  BatchLimits limits;
  bool dry_run = false;  // everything but the writing

  // Asked after each batch; true ends the copy once the batches in flight are written and settled.
  std::function<bool()> stop;

  // Told of each record, on the thread that called Copy, after its batch was written and verified: from then on the
  // source may let it go. `why` is empty but for kConflict and kDiffers.
  std::function<void(const RunRecord& record, Fate fate, const std::string& why)> on_settled;
};

struct Finding {
  std::string run_id;
  Fate fate;
  std::string why;
};

// A run of which the target cannot hold all.
struct CutRun {
  std::string run_id;
  std::vector<Cut> cuts;
};

struct CopyAccount {
  int64_t runs = 0;  // all that were read; the five below add up to it
  int64_t copied = 0;
  int64_t completed = 0;
  int64_t unchanged = 0;
  int64_t conflicts = 0;
  int64_t differing = 0;
  int64_t parts = 0;
  int64_t failures = 0;  // of all that were read
  int64_t ahead = 0;     // of the unchanged and completed: the target has more than the source
  int64_t cut = 0;       // of all that were read: texts were cut, because the target could not have held them
  Digest source_digest;  // of all that were read, as they were sent
  Digest target_digest;  // of the same runs as the target holds them; equal to source_digest where nothing is ahead or
                         // differs
  bool stopped = false;
  std::vector<Finding> findings;  // conflicts and differences, the first kMaxFindings
  std::vector<CutRun> cut_runs;   // the first kMaxFindings

  static constexpr size_t kMaxFindings = 1000;
  bool Verified() const { return conflicts == 0 && differing == 0; }
};

// Sends everything from the source to the sink in batches; while one is read, the one before it is written and the one
// before that is read back, each on a thread of its own. Records are made to fit into the sink (transfer/fit.h) before
// they are sent. Each batch is read back and compared with what was sent before it counts: equal by digest, or
// containing it (history/merge.h). Running it again, also after it was killed at any point, completes what is missing.
// Memory is bounded by four batches. Throws StoreError from either side; what was settled before stays so.
CopyAccount Copy(Source& source, Sink& sink, const CopyOptions& options, Progress& progress);

}  // namespace flaky

#endif  // FLAKY_TRANSFER_COPY_H_
