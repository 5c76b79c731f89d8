// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/output/early_end_text.h"
#include "cli/output/json_output.h"
#include "cli/output/log.h"
#include "cli/output/run_text.h"
#include "cli/output/table.h"
#include "cli/output/time_text.h"
#include "cli/run_query.h"
#include "delivery/own_stores.h"
#include "delivery/run_context.h"
#include "spool/spool_scan.h"

namespace flaky {
namespace {

struct Options {
  RunFilters filters;
  size_t limit = 20;
  bool all = false;
  bool json = false;
  std::optional<Timestamp> since;
};

// The newest runs that the options ask for.
std::vector<Run> ReadRuns(Store& store, const RunQuery& query, size_t limit) {
  std::vector<Run> runs;
  VisitRuns(store, query, Direction::kNewestFirst, Detail::kRunsOnly, [&](RunRecord& record) {
    runs.push_back(std::move(record.run));
    return runs.size() < limit;
  });
  return runs;
}

std::string ProjectAndBranch(const Run& run) {
  const std::string project = run.project.value_or("-");
  return run.branch ? project + "/" + *run.branch : project;
}

// Returns the runs of which something is still running, for the stores of this session: their ids, start and project.
std::vector<Run> LiveRuns(const Session& session) {
  std::vector<Run> runs;
  try {
    OwnStores own(session.resolved);
    RunContexts contexts(session.resolved.user_project, GetEnvironment, std::chrono::milliseconds(0));
    for (const LiveRun& live : LiveRunsIn(session.resolved.spool.Get())) {
      if (!own.Take(live.first)) continue;
      Run& run = runs.emplace_back();
      run.run_id = live.run_id;
      run.project = contexts.ProjectOf(live.first);
      run.account.started_at = live.started_at;
    }
  } catch (const std::exception& error) {
    Log(session.log, LogLevel::kDebug, std::string("what is running is not known: ") + error.what());
  }
  return runs;
}

// Adds those of the live runs that the query selects and the store does not have yet. What is not known of them yet,
// such as their branch, no filter selects.
void AddLive(std::vector<Run> live, const RunQuery& query, size_t limit, std::vector<Run>& runs) {
  if (!query.filters.IsEmpty()) return;
  const RunFilter& wanted = query.of_store;
  for (Run& run : live) {
    const auto is_same = [&](const Run& other) { return other.run_id == run.run_id; };
    if (wanted.project && *wanted.project != run.project) continue;
    if (wanted.since && run.account.started_at < *wanted.since) continue;
    if (std::ranges::none_of(runs, is_same)) runs.push_back(std::move(run));
  }
  std::ranges::stable_sort(runs, std::ranges::greater(), [](const Run& run) { return run.account.started_at; });
  if (runs.size() > limit) runs.resize(limit);
}

// Returns what to say instead of a status, for the runs that ended without one.
std::map<std::string, std::string> EarlyStatuses(Store& store, const std::vector<Run>& runs) {
  std::vector<std::string> ids;
  for (const Run& run : runs) {
    if (run.account.ended_at && !run.account.status) ids.push_back(run.run_id);
  }
  std::map<std::string, std::string> statuses;
  if (ids.empty()) return statuses;
  for (const RunRecord& record : store.Fetch(ids)) {
    if (auto status = EarlyStatus(record.run.account, record.parts))
      statuses.emplace(record.run.run_id, std::move(*status));
  }
  return statuses;
}

void PrintRuns(const std::vector<Run>& runs, const std::map<std::string, std::string>& early, const Session& session) {
  Table table({{.title = "RUN"},
               {.title = "STARTED (UTC)"},
               {.title = "PROJECT/BRANCH", .max_width = 40},
               {.title = "COMMIT"},
               {.title = "STATUS", .max_width = 12},
               {.title = "TESTS", .align = Align::kRight},
               {.title = "FAILED", .align = Align::kRight},
               {.title = "ERRORS", .align = Align::kRight},
               {.title = "DURATION", .align = Align::kRight}});
  const std::vector<std::string> ids = ShortIds(runs);
  for (size_t i = 0; i < runs.size(); ++i) {
    const Account& account = runs[i].account;
    const auto found = early.find(runs[i].run_id);
    table.Add({ids[i], TimeText(account.started_at), ProjectAndBranch(runs[i]), CommitText(runs[i]),
               StatusCell(account, found == early.end() ? std::nullopt : std::optional(found->second)),
               TestsText(account), CountText(account.failed_tests), CountText(account.errors_between_tests),
               DurationText(account)});
  }
  table.Print(session.out, session.color);
}

void ListRuns(Session& session, const Options& options) {
  const std::unique_ptr<Store> store = OpenHistory(session);
  RunQuery query{
      .of_store = {.project = ProjectFilter(session, options.all), .since = options.since, .until = std::nullopt},
      .filters = options.filters};
  if (options.since) query.period = "since " + TimeText(*options.since) + " UTC";
  std::vector<Run> runs = ReadRuns(*store, query, options.limit);
  const std::vector<Run> live = LiveRuns(session);
  AddLive(live, query, options.limit, runs);
  std::set<std::string> running;
  for (const Run& run : live) running.insert(run.run_id);
  Json json = JsonOutput();
  json["runs"] = Json::array();
  for (const Run& run : runs) {
    json["runs"].push_back(ToJson(run));
    json["runs"].back()["running"] = running.contains(run.run_id);
  }
  if (runs.empty()) ReportNothing(session, *store, query, &json);
  if (options.json) {
    PrintJson(session.out, json);
  } else if (!runs.empty()) {
    std::map<std::string, std::string> statuses = EarlyStatuses(*store, runs);
    for (const std::string& run_id : running) statuses[run_id] = kRunning;
    PrintRuns(runs, statuses, session);
  }
}

}  // namespace

void AddRuns(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("runs", "List the runs of a project, newest first");
  AddProjectOptions(*command, session, &options->all);
  command->add_option("--limit", options->limit, "list at most this many")
      ->check(CLI::Range(1, 1'000'000))
      ->type_name("COUNT")
      ->capture_default_str();
  AddTimeOption(*command, "--since", options->since,
                "only runs that started at this time or later: a date, a time, or an age such as 7d");
  AddFilterOptions(*command, options->filters);
  AddJsonFlag(*command, options->json);
  AddFooter(*command,
            {"Ids are shortened as far as they still identify the listed runs. A `+` after a commit means that "
             "files differed from it.",
             kFilterNote},
            {"flaky runs --since 7d --branch 'release/*'", "flaky runs --all --limit 100 --json"});
  command->callback([&session, options] { ListRuns(session, *options); });
}

}  // namespace flaky
