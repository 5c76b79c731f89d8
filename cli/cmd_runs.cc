// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
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

namespace flaky {
namespace {

constexpr size_t kPageSize = 1000;

struct Options {
  size_t limit = 20;
  bool all = false;
  bool json = false;
  std::optional<Timestamp> since;
};

// The newest runs that the options ask for.
std::vector<Run> ReadRuns(Store& store, const RunFilter& filter, size_t limit) {
  std::vector<Run> runs;
  PageRequest request{.filter = filter,
                      .after = std::nullopt,
                      .direction = Direction::kNewestFirst,
                      .detail = Detail::kRunsOnly,
                      .max_records = std::min(limit, kPageSize)};
  do {
    Page page = store.Read(request);
    for (RunRecord& record : page.records) {
      if (runs.size() < limit) runs.push_back(std::move(record.run));
    }
    request.after = page.next;
  } while (request.after && runs.size() < limit);
  return runs;
}

std::string ProjectAndBranch(const Run& run) {
  const std::string project = run.project.value_or("-");
  return run.branch ? project + "/" + *run.branch : project;
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
  const RunFilter filter{.project = ProjectFilter(session, options.all), .since = options.since, .until = std::nullopt};
  const std::vector<Run> runs = ReadRuns(*store, filter, options.limit);
  if (options.json) {
    Json json = JsonOutput();
    json["runs"] = Json::array();
    for (const Run& run : runs) json["runs"].push_back(ToJson(run));
    PrintJson(session.out, json);
  } else if (runs.empty()) {
    Log(session.log, LogLevel::kWarn,
        "no such runs of " + ProjectPhrase(filter.project) + " in " + store->name() +
            (options.all ? "" : " (--all includes every project)"));
  } else {
    PrintRuns(runs, EarlyStatuses(*store, runs), session);
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
  AddJsonFlag(*command, options->json);
  AddFooter(*command,
            {"Ids are shortened as far as they still identify the listed runs. A `+` after a commit means that "
             "files differed from it."},
            {"flaky runs --since 7d", "flaky runs --all --limit 100 --json"});
  command->callback([&session, options] { ListRuns(session, *options); });
}

}  // namespace flaky
