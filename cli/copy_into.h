#ifndef FLAKY_CLI_COPY_INTO_H_
#define FLAKY_CLI_COPY_INTO_H_

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>

#include "cli/session.h"
#include "transfer/copy.h"

namespace flaky {

// Returns the retry policy of a copy. It is more patient than Retrying (cli/session.h): a copy that has made progress
// is worth waiting for a server that restarts.
RetryPolicy PatientRetrying(const Session& session);

struct CopyIntoOptions {
  size_t batch_size = BatchLimits().records;  // runs in one transaction, at most
  int64_t max_rate = 0;                       // rows per second; 0: as fast as it goes
  OnConflict on_conflict = OnConflict::kKeep;
  bool strict = false;  // fail instead of converting a value
  bool wait = false;    // wait for another copy into the same store to end
  bool dry_run = false;
  bool json = false;  // progress as events
};

// Adds the options of a copy. `options` must outlive the command.
void AddCopyOptions(CLI::App& command, CopyIntoOptions& options);

// Copies into the store at `to`, which is created if it does not exist. Prints progress on stderr. Stops at Ctrl-C, for
// which the caller holds an InterruptGuard. Only one copy at a time may write into a store (cli/copy_claim.h). A dry
// run creates and writes nothing. Throws StoreError and CommandError.
CopySummary CopyInto(const Session& session, Source& source, const Location& to, const CopyIntoOptions& options);

}  // namespace flaky

#endif  // FLAKY_CLI_COPY_INTO_H_
