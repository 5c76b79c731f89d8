// SPDX-License-Identifier: MIT
#include "cli/run_query.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "cli/output/early_end_text.h"
#include "cli/output/log.h"
#include "cli/output/numbers.h"
#include "history/text.h"

namespace flaky {
namespace {

// Many callers need only the first runs, so pages grow.
constexpr size_t kFirstPageSize = 24, kPageSize = 1536, kFullPageSize = 384;
// In how many of the newest runs projects are looked for.
constexpr int64_t kMostRuns = 20'000;
constexpr size_t kMostProjects = 10;
constexpr size_t kFetchAtOnce = 200;

// How many of the newest runs each project has.
struct Projects {
  std::map<std::optional<std::string>, int64_t> runs;
  bool is_all = true;
};

Projects ProjectsIn(Store& store) {
  Projects projects;
  int64_t seen = 0;
  VisitRuns(store, {}, Direction::kNewestFirst, Detail::kRunsOnly, [&](const RunRecord& record) {
    if (seen == kMostRuns) {
      projects.is_all = false;
      return false;
    }
    ++seen;
    ++projects.runs[record.run.project];
    return true;
  });
  return projects;
}

std::string NameOf(const std::optional<std::string>& project) { return project.value_or("(no project)"); }

// Returns "fd (63 runs), engine (2)", the largest first.
std::string ListOf(const Projects& projects) {
  std::vector<std::pair<int64_t, std::string>> sorted;
  for (const auto& [project, runs] : projects.runs) sorted.emplace_back(-runs, NameOf(project));
  std::ranges::sort(sorted);
  std::string list;
  for (size_t i = 0; i < std::min(sorted.size(), kMostProjects); ++i) {
    const int64_t runs = -sorted[i].first;
    list +=
        (i == 0 ? "" : ", ") + sorted[i].second + " (" + (i == 0 ? Counted(runs, "run") : WithThousands(runs)) + ")";
  }
  if (sorted.size() > kMostProjects) {
    list += " and " + WithThousands(static_cast<int64_t>(sorted.size() - kMostProjects)) + " more";
  }
  return list;
}

// Returns "no run of project demo".
std::string NoRunOf(const std::optional<std::optional<std::string>>& project) {
  if (!project) return "no run of any project";
  return *project ? "no run of project " + **project : "no run without a project";
}

// Returns what the query demands of runs, beyond the project: " started in the last 7 days and matches --branch".
std::string Demands(const RunQuery& query) {
  std::string text = query.period.empty() ? "" : " started " + query.period;
  if (query.filters.IsEmpty()) return text;
  return text + (text.empty() ? "" : " and") + " matches " +
         Join(query.filters.Names(), ", ", [](std::string_view name) { return "--" + std::string(name); });
}

}  // namespace

void VisitRuns(Store& store, const RunQuery& query, Direction direction, Detail detail,
               const std::function<bool(RunRecord&)>& visit) {
  PageRequest request;
  request.filter = query.of_store;
  request.direction = direction;
  request.detail = query.filters.NeedsParts() ? Detail::kFull : detail;
  request.max_records = kFirstPageSize;
  do {
    Page page = store.Read(request);
    request.max_records =
        std::min(2 * request.max_records, request.detail == Detail::kFull ? kFullPageSize : kPageSize);
    for (RunRecord& record : page.records) {
      if (query.filters.Keep(record) && !visit(record)) return;
    }
    request.after = page.next;
  } while (request.after);
}

void VisitFailuresOf(const RunRecord& record, const std::function<void(const FailureView&)>& visit) {
  for (const Failure& failure : record.failures) {
    FailureView view;
    view.run_id = record.run.run_id;
    view.test_file = failure.test_file;
    view.test_name = failure.test_name;
    view.failure_kind = failure.failure_kind;
    view.error_message = failure.error_message;
    view.error_stack = failure.error_stack;
    view.failed_at = failure.failed_at;
    view.run_ended = record.run.account.ended_at.has_value();
    view.run_failed_tests = record.run.account.failed_tests;
    visit(view);
  }
}

std::set<std::string> InterruptedAmong(Store& store, const std::vector<std::string>& ids) {
  std::set<std::string> interrupted;
  for (size_t at = 0; at < ids.size(); at += kFetchAtOnce) {
    const auto some = std::span(ids).subspan(at, std::min(kFetchAtOnce, ids.size() - at));
    for (const RunRecord& record : store.Fetch(some)) {
      const std::vector<EarlyEnd> ends = EarlyEndsOf(record.parts);
      const auto is_interruption = [](const EarlyEnd& end) { return end.cause == EarlyEnd::Cause::kInterrupted; };
      if (std::ranges::any_of(ends, is_interruption)) interrupted.insert(record.run.run_id);
    }
  }
  return interrupted;
}

void ReportNothing(Session& session, Store& store, const RunQuery& query, Json* json) {
  session.exit_code = ExitCode::kNothing;
  const int64_t all =
      store.Count({.project = query.of_store.project, .since = std::nullopt, .until = std::nullopt}).runs;
  std::string text = NoRunOf(query.of_store.project) + " in " + store.name();
  Projects projects;
  if (all > 0) {
    text += Demands(query) + "; " + (all == 1 ? "there is 1 run" : "there are " + WithThousands(all) + " runs");
  } else if (projects = ProjectsIn(store); projects.runs.empty()) {
    text = store.name() + " has no run yet";
  } else {
    text += std::string("; ") + (projects.is_all ? "the projects are " : "the projects of the newest runs are ") +
            ListOf(projects) + ": --project NAME selects one, --all every project";
  }
  Log(session.log, LogLevel::kWarn, text);
  if (json == nullptr) return;
  (*json)["projects"] = Json::array();
  for (const auto& [project, runs] : projects.runs) {
    (*json)["projects"].push_back({{"project", project ? Json(*project) : Json()}, {"runs", runs}});
  }
}

}  // namespace flaky
