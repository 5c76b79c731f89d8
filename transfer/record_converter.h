// SPDX-License-Identifier: MIT
#ifndef FLAKY_TRANSFER_RECORD_CONVERTER_H_
#define FLAKY_TRANSFER_RECORD_CONVERTER_H_

#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "history/run.h"
#include "stores/store.h"
#include "transfer/batch.h"

namespace flaky {

// Converts records to what a store can hold, before they are digested and sent (docs/reference/conversion.md explains
// it to users):
//
//  * Texts become storable (history/text.h). Eight digits of its hash are appended to an id that was changed, so that
//    different ids stay different.
//  * If the store admits only known words, an unknown status becomes absent, and an unknown failure_kind `unknown`.
//  * If a row is too large, its longest text is cut (CutTo), then the next longest, until the row fits. The names of
//  tests
//    and files are cut last. Ids are never cut: a row that is too large only because of its ids is refused by
//    CheckRowSizes (stores/record_check.h).
//  * A roster that is too large, or not a storable text, is left out, and its parts name no roster.
//
// The conversion is deterministic, and does not change a record that fits. So a repeated copy finds everything equal.
// Not thread-safe.
class RecordConverter {
 public:
  // `store`: its name, for errors.
  RecordConverter(const StoreLimits& limits, std::string store) : limits_(limits), store_(std::move(store)) {}

  const std::string& store() const { return store_; }

  // Converts the record in place. Returns what was converted: one entry for each column and kind, in order of the
  // tables. Throws StoreError (kInvalid).
  std::vector<Conversion> Fit(RunRecord& record);

 private:
  void FitRosters(RunRecord& record, std::vector<Conversion>& conversions);

  const StoreLimits limits_;
  const std::string store_;
  std::unordered_set<std::string> sound_rosters_;  // successive runs usually have the same rosters
};

// Converts all records of a batch. Returns those that are not exactly what the source holds, with the conversions that
// the source reported and those made here. `strict`: throws StoreError (kInvalid) for the first of them instead.
std::vector<ConvertedRun> ConvertBatch(RecordConverter& converter, Batch& batch, bool strict);

// Returns a phrase such as "failures.error_message: cut by 1234 bytes; failures.failed_at: 'year!' as
// 1970-01-01T00:00:00.000Z, and 2 more".
std::string ConversionPhrase(const std::vector<Conversion>& conversions);

}  // namespace flaky

#endif  // FLAKY_TRANSFER_RECORD_CONVERTER_H_
