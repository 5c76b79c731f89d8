#ifndef FLAKY_TESTS_SUPPORT_CONTENTS_H_
#define FLAKY_TESTS_SUPPORT_CONTENTS_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "history/digest.h"
#include "stores/open.h"
#include "tests/support/walk_pages.h"

// Reads the contents of a store in the forms that tests compare.
namespace flaky {

inline Digest SumOf(const std::vector<RunRecord>& records) {
  Digest sum;
  for (const RunRecord& record : records) sum += DigestOf(record);
  return sum;
}

// The digest of each run, by run id.
using RunDigests = std::map<std::string, Digest>;

inline RunDigests ContentsOf(const std::vector<RunRecord>& records) {
  RunDigests contents;
  for (const RunRecord& record : records) contents.emplace(record.run.run_id, DigestOf(record));
  return contents;
}

inline RunDigests ContentsOf(Store& store) { return ContentsOf(ReadAll(store)); }

// Reads the store at a location.
inline RunDigests ContentsAt(const std::string& location) {
  return ContentsOf(*OpenStore(ParseLocation(location), OpenMode::kRead));
}

}  // namespace flaky

#endif  // FLAKY_TESTS_SUPPORT_CONTENTS_H_
