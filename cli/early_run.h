// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_EARLY_RUN_H_
#define FLAKY_CLI_EARLY_RUN_H_

#include <optional>
#include <vector>

#include "cli/output/json_output.h"
#include "cli/run_query.h"
#include "cli/session.h"
#include "history/early_end.h"
#include "history/run.h"
#include "stores/store.h"

// The latest run, if it ended early without a status. A gate must not pass in silence because of it.
namespace flaky {

struct EarlyRun {
  Run run;
  std::vector<EarlyEnd> ends;

  // Returns true if it is not known what ended something of the run: and it was not an interruption.
  bool IsUnknown() const;
};

// Returns the latest run that the query selects, whenever it started before `until`; nullopt if it did not end early.
std::optional<EarlyRun> LatestIfEarly(Store& store, RunQuery query);

void PrintEarlyRun(const EarlyRun& early, const Session& session);
Json EarlyRunJson(const std::optional<EarlyRun>& early);

}  // namespace flaky

#endif  // FLAKY_CLI_EARLY_RUN_H_
