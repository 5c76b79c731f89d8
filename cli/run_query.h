// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_RUN_QUERY_H_
#define FLAKY_CLI_RUN_QUERY_H_

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "analysis/run_filters.h"
#include "cli/output/json_output.h"
#include "cli/session.h"
#include "history/failure_view.h"
#include "stores/store.h"

// How the commands read runs: the same project, times and filters everywhere.
namespace flaky {

struct RunQuery {
  RunFilter of_store = {};
  RunFilters filters = {};
  std::string period = {};  // the times in `of_store` as a phrase: "in the last 14 days"; empty: none
};

// Calls `visit` for each run that the query selects, in the order of `direction`, until it returns false. The records
// have at least `detail`.
void VisitRuns(Store& store, const RunQuery& query, Direction direction, Detail detail,
               const std::function<bool(RunRecord&)>& visit);

// Calls `visit` for each failure of the record as Store::VisitFailures does, without the ids.
void VisitFailuresOf(const RunRecord& record, const std::function<void(const FailureView&)>& visit);

// Returns those of these runs that were interrupted. `ids`: of runs without a status.
std::set<std::string> InterruptedAmong(Store& store, const std::vector<std::string>& ids);

// Says that the query selects no run, and why: the project has none, and which projects have, or the filters match none
// of its runs. Sets the exit code kNothing. Adds the projects to `json` unless it is null.
void ReportNothing(Session& session, Store& store, const RunQuery& query, Json* json);

}  // namespace flaky

#endif  // FLAKY_CLI_RUN_QUERY_H_
