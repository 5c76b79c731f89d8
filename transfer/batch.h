// SPDX-License-Identifier: MIT
#ifndef FLAKY_TRANSFER_BATCH_H_
#define FLAKY_TRANSFER_BATCH_H_

#include <cstdint>
#include <vector>

#include "history/digest.h"
#include "history/run.h"
#include "stores/conversion.h"

namespace flaky {

// Whole records that go through the pipeline together. The source limits their number and size.
struct Batch {
  std::vector<RunRecord> records;
  std::vector<ConvertedRun> converted = {};  // those of the records that are not exactly what the source holds
};

struct BatchLimits {
  size_t records = 4096;
  size_t bytes = 2 << 20;  // of text, approximately; a batch has at least one record, however large it is
};

// Returns the approximate number of bytes of text in a record.
size_t TextBytes(const RunRecord& record);

}  // namespace flaky

#endif  // FLAKY_TRANSFER_BATCH_H_
