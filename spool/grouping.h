// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_GROUPING_H_
#define FLAKY_SPOOL_GROUPING_H_

#include <string>

#include "spool/journal.h"
#include "spool/process.h"

namespace flaky {

// The run and the part to which a journal belongs.
//
// The run is FLAKY_TESTS_RUN_ID if it was set, else the same for all processes of one Bazel command, else the same for
// all processes under one ctest, else the process's own. The id begins with the time of the Bazel command or of the
// process. That of a ctest does not: when it began is known in clock ticks since boot only, and two processes may
// convert these to different times.
//
// All processes under one ctest are one part, except that each rank of an MPI program is a part: ranks run the same
// tests, but not as attempts of each other. Shards of one program that one parent started, and that ran at the same
// time, are also one part. If no run id was set, such shards belong to the run of the shard whose journal has the
// smallest id. Any other process is a part by itself, no matter how many are delivered at once. So the content of the
// store does not depend on when deliveries happened.
struct RunGrouping {
  std::string run_id;
  std::string group;            // equal for journals of one part; the journal's own id if it is a part by itself
  std::string ctest_group;      // CTestGroup; empty: not under a ctest that is known
  bool is_under_ctest = false;  // at any depth
  bool is_shard = false;        // `group` is that of the shards of its parent
};
RunGrouping GroupingOf(const Journal& journal);

// Returns RunGrouping::ctest_group of the processes under this ctest that belong to the fixture; empty if the ctest is
// not known. Processes without a fixture are a separate group, and so a separate part: CTest ensures that no test of
// the fixture runs after its clean-up, but does not ensure that for other tests.
std::string CTestGroup(const ProcessId& ctest, const std::string& fixture);

}  // namespace flaky

#endif  // FLAKY_SPOOL_GROUPING_H_
