// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_PART_FACTS_H_
#define FLAKY_SPOOL_PART_FACTS_H_

#include <map>
#include <string>
#include <vector>

#include "history/part_tests.h"
#include "history/run.h"
#include "spool/journal.h"
#include "spool/test_lists.h"

namespace flaky {

// Returns true for one of several processes of an MPI program. Returns false for rank 0 of an unknown number, because a
// program without MPI may have that rank too.
bool IsRank(const Journal& journal);

// Sets what the headers of a part's journals say of it: a fact about which they differ is absent. The seed is that of
// the first process that shuffles, and the planned tests are those of all processes.
void SetFacts(Part& part, const std::vector<const Journal*>& journals);

// Returns all tests of the programs, as far as their lists are known. `program_names`: by the paths of the programs.
RegisteredTests RegisteredIn(const std::vector<const Journal*>& journals,
                             const std::map<std::string, std::string>& program_names, TestLists& lists);

}  // namespace flaky

#endif  // FLAKY_SPOOL_PART_FACTS_H_
