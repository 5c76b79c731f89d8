#ifndef FLAKY_TRANSFER_BATCH_H_
#define FLAKY_TRANSFER_BATCH_H_

#include <cstdint>
#include <vector>

#include "history/digest.h"
#include "history/run.h"
#include "stores/conversion.h"

namespace flaky {

// What goes through the pipeline in one piece: whole records, bounded in number and bytes by whoever made the batch.
struct Batch {
  std::vector<RunRecord> records;
  std::vector<ConvertedRun> converted = {};  // of the records, those that are not quite what the source holds
};

struct BatchLimits {
  size_t records = 4096;
  size_t bytes = 2 << 20;  // of text, about; a batch holds at least one record whatever its size
};

// The bytes of text in a record, about.
size_t TextBytes(const RunRecord& record);

}  // namespace flaky

#endif  // FLAKY_TRANSFER_BATCH_H_
