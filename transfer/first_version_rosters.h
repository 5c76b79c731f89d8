// SPDX-License-Identifier: MIT
#ifndef FLAKY_TRANSFER_FIRST_VERSION_ROSTERS_H_
#define FLAKY_TRANSFER_FIRST_VERSION_ROSTERS_H_

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "history/part_tests.h"
#include "history/run.h"

namespace flaky {

// The rosters of a file in version 1 of the format (docs/reference/jsonl.md). They had names without programs, each
// with its number of executions or with a pair, executions and skips:
//   {"Suite.A":1,"Suite.B":[2,1]}
// As in that version, a part may refer to the last 256 rosters before it, or to fewer if these have more than 16 MiB.
class FirstVersionRosters {
 public:
  // Throws std::invalid_argument if the text is not one that version 1 had.
  void Add(const Roster& roster);

  // Sets the part's roster in today's form, and its executions. Adds the roster and its lists to `rosters`. Returns
  // false if none of the last rosters has the part's roster_id.
  bool Give(Part& part, std::vector<RosterPtr>& rosters) const;

 private:
  struct Entry {
    std::string roster_id;
    size_t bytes = 0;
    PartTests tests;
  };
  std::deque<Entry> entries_;  // the newest last
  size_t bytes_ = 0;
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_FIRST_VERSION_ROSTERS_H_
