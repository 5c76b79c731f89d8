// SPDX-License-Identifier: MIT
#include "cli/find_run.h"

#include <algorithm>
#include <span>
#include <tuple>
#include <utility>

#include "cli/options.h"
#include "cli/output/json_output.h"
#include "cli/run_query.h"
#include "history/text.h"

namespace flaky {
namespace {

// Returns the id of the only run whose id begins with `prefix`.
std::string FindRun(Store& store, const std::string& prefix) {
  const std::vector<std::string> found = RunsThatBegin(store, prefix);
  if (found.empty()) {
    throw CommandError(ExitCode::kUsage, "no run's id begins with `" + prefix + "` in " + store.name() +
                                             " (flaky runs --all lists them)");
  }
  if (found.size() == 1) return found.front();
  std::string candidates;
  for (size_t i = 0; i < std::min(found.size(), kMostCandidates); ++i) candidates += (i > 0 ? ", " : "") + found[i];
  if (found.size() > kMostCandidates) candidates += ", …";
  throw CommandError(ExitCode::kUsage, "`" + prefix + "` matches several runs: " + candidates);
}

}  // namespace

std::vector<std::string> RunsThatBegin(Store& store, const std::string& prefix) {
  std::vector<std::string> found = store.FindRuns(prefix, kMostCandidates + 1);
  if (!found.empty() && found.front() == prefix) found.resize(1);
  return found;
}

std::optional<RunRecord> ReadRun(Store& store, Session& session, const RunChoice& choice) {
  if (choice.run.empty())
    throw CommandError(ExitCode::kUsage, "RUN is empty; expected the beginning of a run's id, or latest");
  std::optional<std::string> id;
  if (choice.run == kLatest) {
    const RunQuery query{.of_store = {.project = ProjectFilter(session, choice.all_projects),
                                      .since = std::nullopt,
                                      .until = choice.until},
                         .filters = choice.filters};
    VisitRuns(store, query, Direction::kNewestFirst, Detail::kRunsOnly, [&](const RunRecord& record) {
      id = record.run.run_id;
      return false;
    });
    if (!id) {
      Json json = JsonOutput();
      ReportNothing(session, store, query, &json);
      if (choice.json) PrintJson(session.out, json);
      return std::nullopt;
    }
  } else {
    id = FindRun(store, choice.run);
  }
  std::vector<RunRecord> records = store.Fetch(std::span(&*id, 1));
  if (records.empty()) throw CommandError(ExitCode::kUsage, "run " + *id + " was removed in the meantime");
  RunRecord record = std::move(records.front());
  if (!choice.filters.Keep(record)) {
    throw CommandError(ExitCode::kNothing, "run " + *id + " has nothing that matches " +
                                               Join(choice.filters.Names(), ", ",
                                                    [](std::string_view name) { return "--" + std::string(name); }));
  }
  std::sort(record.parts.begin(), record.parts.end(), [](const Part& a, const Part& b) {
    return std::tie(a.account.started_at, a.part_id) < std::tie(b.account.started_at, b.part_id);
  });
  std::sort(record.failures.begin(), record.failures.end(), [](const Failure& a, const Failure& b) {
    // At the same moment, the end of a process ("uncaught") comes after the assertions that failed before it.
    return std::tie(a.failed_at, a.test_file, a.test_name, a.attempt, a.failure_kind, a.line, a.error_message) <
           std::tie(b.failed_at, b.test_file, b.test_name, b.attempt, b.failure_kind, b.line, b.error_message);
  });
  return record;
}

}  // namespace flaky
