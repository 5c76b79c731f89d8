#ifndef FLAKY_TRANSFER_FIT_H_
#define FLAKY_TRANSFER_FIT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "history/run.h"
#include "stores/store.h"

namespace flaky {

// What one column of a record lost, over all of its rows.
struct Cut {
  std::string column;  // "failures.error_message"
  int64_t bytes = 0;

  bool operator==(const Cut&) const = default;
};

// Makes a record fit into a store with these limits, before it is digested and sent. Of a row that is too large the
// longest text is cut, with the note of CutTo (history/text.h) behind it, then the next longest until the row fits; a
// roster that is too large is left out and its parts name none. What runs, parts and tests are told apart by is never
// cut: a row that is too large by that alone is refused, as CheckRowSizes does (stores/record_check.h).
//
// Gives what was cut, one entry a column, in order of the tables. The same record always becomes the same, and one that
// fits stays as it is: so a repeated copy finds everything equal.
std::vector<Cut> Fit(RunRecord& record, const StoreLimits& limits, const std::string& store);

// "failures.error_message by 1234 bytes, rosters.tests by 88 bytes"
std::string CutPhrase(const std::vector<Cut>& cuts);

}  // namespace flaky

#endif  // FLAKY_TRANSFER_FIT_H_
