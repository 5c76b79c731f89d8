#ifndef FLAKY_SPOOL_SPOOL_SCAN_H_
#define FLAKY_SPOOL_SPOOL_SCAN_H_

#include <map>
#include <string>
#include <vector>

#include "history/time.h"
#include "spool/spool_files.h"

// What lies in a spool and what of it can be delivered now. Only looks: nothing is changed.
namespace flaky {

// A journal by where it lies.
struct SpoolFile {
  std::string folder;  // in outbox/; empty: the spool itself
  std::string name;
};

// A journal that is ready and belongs to no part yet.
struct LooseJournal {
  SpoolFile file;
  std::string journal_id;
};

struct PendingRun {
  std::string run_id;
  Timestamp started_at;                                    // of the first journal that is known of it
  std::map<std::string, std::vector<LooseJournal>> loose;  // by RunGrouping::group: those of one group are one part
  std::vector<std::string> sealed;                         // part ids
};

struct UnusableFile {
  SpoolFile file;  // an empty name: the whole folder
  std::string reason;
};

struct SpoolScan {
  std::vector<PendingRun> runs;        // the oldest first
  std::vector<UnusableFile> damaged;   // to be rejected
  std::vector<UnusableFile> newer;     // for a later program
  std::vector<UnusableFile> unopened;  // could not be read for now
  std::vector<SpoolFile> headerless;   // to be removed: their writers died before the first line
  std::vector<std::string> leftovers;  // folders in outbox/ to be removed
  int64_t running = 0;                 // journals that are not ready
};

// `outbox` may be none. The group `complete` is ready though its ctest runs.
SpoolScan ScanSpool(const UniqueFd& spool, const UniqueFd& outbox, const std::string& complete);

}  // namespace flaky

#endif  // FLAKY_SPOOL_SPOOL_SCAN_H_
