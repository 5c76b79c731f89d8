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

// Makes records fit into a store, before they are digested and sent (docs/reference/conversion.md says how, for users):
//
//  * Texts become storable (history/text.h). An id that was not has eight digits of its hash behind it then, so that
//    two of them stay two.
//  * Where the store admits only known words, an unknown status is absent and an unknown failure_kind `unknown`.
//  * Of a row that is too large the longest text is cut, with the note of CutTo behind it, then the next longest until
//    the row fits; the names of tests and files come last. Ids are never cut: a row that is too large by them alone is
//    refused, as CheckRowSizes does (stores/record_check.h).
//  * A roster that is too large or no storable text is left out, and its parts name none.
//
// The same record always becomes the same, and one that fits stays as it is: so a repeated copy finds everything equal.
// For one thread.
class RecordConverter {
 public:
  // `store`: its name, for errors; copied.
  RecordConverter(const StoreLimits& limits, std::string store) : limits_(limits), store_(std::move(store)) {}

  const std::string& store() const { return store_; }

  // Gives what was converted, one entry a column and kind, in order of the tables. Throws StoreError (kInvalid).
  std::vector<Conversion> Fit(RunRecord& record);

 private:
  void FitRosters(RunRecord& record, std::vector<Conversion>& conversions);

  const StoreLimits limits_;
  const std::string store_;
  std::unordered_set<std::string> sound_rosters_;  // successive runs mostly have the same
};

// Fits all records of a batch; gives those that are not quite what the source holds, with what the source said of them.
// `strict`: throws StoreError (kInvalid) for the first of them instead.
std::vector<ConvertedRun> ConvertBatch(RecordConverter& fitter, Batch& batch, bool strict);

// "failures.error_message: cut by 1234 bytes; failures.failed_at: 'year!' as 1970-01-01T00:00:00.000Z, and 2 more"
std::string ConversionPhrase(const std::vector<Conversion>& conversions);

}  // namespace flaky

#endif  // FLAKY_TRANSFER_RECORD_CONVERTER_H_
