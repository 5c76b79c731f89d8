// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_SPOOL_SCAN_H_
#define FLAKY_SPOOL_SPOOL_SCAN_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "history/time.h"
#include "spool/journal.h"
#include "spool/spool_files.h"

// Finds what is in a spool and what of it can be delivered now. Changes nothing.
namespace flaky {

// The place of a journal in the spool.
struct SpoolFile {
  std::string folder;  // in outbox/; empty: the spool itself
  std::string name;
};

// A journal that is ready and is not part of a sealed part.
struct LooseJournal {
  SpoolFile file;
  std::string journal_id;
};

// The journal that decides for which stores a part is: that of the run's `flaky run`, else the one with the smallest id
// of its ctest or, without one, of the part. So it does not depend on what has been delivered.
struct DecidingJournal {
  std::string journal_id;
  bool is_command = false;
  std::string cwd;
  std::string program;                // its path
  std::string ctest_group;            // of its ctest, as CTestGroup without a fixture; empty: none
  std::optional<SpoolFile> of_bazel;  // the journal, if it is one of Bazel, whose working folder does not tell
};

struct PendingRun {
  std::string run_id;
  Timestamp started_at;  // of its earliest journal
  std::map<std::string, std::vector<LooseJournal>>
      loose;                                       // by RunGrouping::group: the journals of one group are one part
  std::vector<std::string> sealed;                 // part ids
  std::map<std::string, DecidingJournal> decides;  // for each group of `loose` and each part of `sealed`
};

struct UnusableFile {
  SpoolFile file;  // an empty name: the whole folder
  std::string reason;
};

// The journal of a `flaky run` whose command is still running.
struct RunningCommand {
  std::string file;  // in the spool itself
  std::string run_id;
  Timestamp started_at;
  std::string cwd;
};

// A run of which something is still running.
struct LiveRun {
  std::string run_id;
  Timestamp started_at;  // of its earliest journal that is not ready
  Journal first;         // that journal, or that of its `flaky run`, with only its header
};

struct SpoolScan {
  std::vector<PendingRun> runs;        // oldest first
  std::vector<UnusableFile> damaged;   // to be rejected
  std::vector<UnusableFile> newer;     // for a newer version of this program
  std::vector<UnusableFile> unopened;  // could not be read at this time
  std::vector<SpoolFile> headerless;   // to be removed: their writers died before they wrote the first line
  std::vector<std::string> leftovers;  // folders in outbox/ to be removed
  int64_t running = 0;                 // journals that are not ready, because their test program or ctest is running
  int64_t unknown = 0;                 // journals that are not ready, because it is not known whether it is running
  std::vector<RunningCommand> commands;
  std::vector<LiveRun> live;  // oldest first
};

// Returns the deciding journal, as far as it matters: its working folder and program, and for one of Bazel all of it.
// If that one cannot be read now, its folder is unknown.
Journal ReadDeciding(const UniqueFd& spool, const UniqueFd& outbox, const DecidingJournal& decides);

// Removes from the scan what `is_wanted` refuses. Returns how many runs are removed, wholly or in part.
int64_t KeepWanted(SpoolScan& scan,
                   const std::function<bool(const std::string& run_id, const DecidingJournal& decides)>& is_wanted);

// Returns the runs of which something in the spool is still running. Throws as HasPending does (spool/spool.h).
std::vector<LiveRun> LiveRunsIn(const std::string& spool);

// `outbox` may be an empty descriptor. The group `complete` is ready although its ctest is still running.
SpoolScan ScanSpool(const UniqueFd& spool, const UniqueFd& outbox, const std::string& complete);

}  // namespace flaky

#endif  // FLAKY_SPOOL_SPOOL_SCAN_H_
