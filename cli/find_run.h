// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_FIND_RUN_H_
#define FLAKY_CLI_FIND_RUN_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/run_filters.h"
#include "cli/session.h"
#include "history/run.h"
#include "stores/store.h"

// The run that an argument names.
namespace flaky {

inline constexpr std::string_view kLatest = "latest";

struct RunChoice {
  std::string run = {};  // the beginning of an id, or kLatest
  RunFilters filters = {};
  bool all_projects = false;                      // for kLatest
  std::optional<Timestamp> until = std::nullopt;  // for kLatest: started before
  bool json = false;                              // print JSON if there is no run
};

inline constexpr size_t kMostCandidates = 10;

// Returns the ids that begin with `prefix`, at most one more than kMostCandidates; only the id that is equal to it, if
// there is one.
std::vector<std::string> RunsThatBegin(Store& store, const std::string& prefix);

// Returns the run that is chosen, reduced to the parts that match the filters, with parts and failures in order.
// Returns nullopt if there is no latest run, which is reported. Throws CommandError if no run or several are named, or
// nothing of the run matches.
std::optional<RunRecord> ReadRun(Store& store, Session& session, const RunChoice& choice);

}  // namespace flaky

#endif  // FLAKY_CLI_FIND_RUN_H_
