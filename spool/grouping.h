#ifndef FLAKY_SPOOL_GROUPING_H_
#define FLAKY_SPOOL_GROUPING_H_

#include <string>

#include "spool/journal.h"
#include "spool/process.h"

namespace flaky {

// The run that a journal belongs to: FLAKY_TESTS_RUN_ID where it was set, else one id for all processes of one command
// of Bazel, else one for all below one ctest, else the process's own. And the part: all processes below one ctest are
// one part, and so are shards of one program that one parent started and that ran at the same time; any other process
// is one by itself, however many are delivered at once. So what the store holds does not depend on when deliveries
// happened. The run of such shards is that of the one whose journal has the smallest id, where no run id was set.
struct RunGrouping {
  std::string run_id;
  std::string group;         // equal for journals of one part; the journal's own id for a part by itself
  bool below_ctest = false;  // the parent is a ctest
  bool is_shard = false;     // `group` is that of its parent's shards
};
RunGrouping GroupingOf(const Journal& journal);

// RunGrouping::group of the processes below this ctest that belong to the fixture; empty where the ctest is not known.
// Those that belong to none are a group, and so a part, of their own: CTest sees to it that none of the fixture's come
// after its clean-up, and says nothing of the others.
std::string CTestGroup(const ProcessId& ctest, const std::string& fixture);

}  // namespace flaky

#endif  // FLAKY_SPOOL_GROUPING_H_
