#ifndef FLAKY_TRANSFER_DIFFERENCE_H_
#define FLAKY_TRANSFER_DIFFERENCE_H_

#include <string>

#include "history/digest.h"
#include "history/run.h"

namespace flaky {

// What stands for a record when two stores are compared: DigestOf (history/digest.h), which names rosters by the hash
// of their content, and to it, for each roster that a part names, something else where its content is missing or not
// what the hash says. Equal records have equal ones; where all rosters are intact it is DigestOf.
struct Fingerprint {
  Digest digest;
  bool intact = true;  // every roster that is named is there and is what its id says
};
Fingerprint FingerprintOf(const RunRecord& record);

// What differs first between two records of one run, in words for people: the run's own fields, then the parts, the
// failures and the rosters. The order of parts, failures and rosters means nothing; a failure is compared with the most
// similar one of the other side. Long texts are not shown, but where they begin to differ. May hold any text of the
// records. Empty where nothing differs.
std::string FirstDifference(const RunRecord& source, const RunRecord& target);

}  // namespace flaky

#endif  // FLAKY_TRANSFER_DIFFERENCE_H_
