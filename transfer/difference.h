// SPDX-License-Identifier: MIT
#ifndef FLAKY_TRANSFER_DIFFERENCE_H_
#define FLAKY_TRANSFER_DIFFERENCE_H_

#include <string>

#include "history/digest.h"
#include "history/run.h"

namespace flaky {

// Identifies a record when two stores are compared. It is DigestOf(record) (history/digest.h), which names rosters by
// the hash of their content, changed for each named roster whose content is missing or doesn't match its hash. Equal
// records have equal fingerprints.
struct Fingerprint {
  Digest digest;
  bool intact = true;  // every named roster is there, and its content matches its id
};
Fingerprint FingerprintOf(const RunRecord& record);

// Returns the first difference between two records of one run, as a phrase for users; empty if nothing differs. It
// compares the run's own fields, then the parts, the failures and the rosters. The order of parts, failures and rosters
// does not matter. A failure is compared with the most similar failure of the other side. For a long text, the phrase
// contains only the place of the first difference. The phrase may contain any text of the records.
std::string FirstDifference(const RunRecord& source, const RunRecord& target);

}  // namespace flaky

#endif  // FLAKY_TRANSFER_DIFFERENCE_H_
