// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/left_out.h"
#include "analysis/run_filters.h"
#include "analysis/test_executions.h"
#include "analysis/trend.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/output/json_output.h"
#include "cli/output/log.h"
#include "cli/output/numbers.h"
#include "cli/output/table.h"
#include "cli/run_query.h"
#include "history/text.h"
#include "settings/suggestions.h"

namespace flaky {
namespace {

constexpr size_t kMostSuggestions = 5;

struct Options {
  std::string test;
  RunFilters filters;
  std::string by = "day";
  int64_t days = 30;
  bool all = false;
  bool json = false;
  std::optional<Timestamp> at;
};

struct TrendCounts {
  std::vector<TrendBucket> buckets;
  int64_t runs = 0;               // that were looked at
  int64_t without_tests = 0;      // of these runs: not of tests, because none is recorded and none failed
  int64_t unknown = 0;            // with TEST: runs that do not say which tests they executed
  std::set<std::string> matched;  // with TEST: the tests that match
  std::set<std::string> names;    // with TEST: all tests that were executed
};

// A command that ran no test does not count as a run.
bool HasTests(const Account& account) {
  return account.total_tests.value_or(1) > 0 || account.errors_between_tests.value_or(0) > 0 ||
         account.missing_tests.value_or(0) > 0;
}

void AddFailure(const FailureView& failure, Trend& trend) {
  if (IsOutsideTests(failure.test_file, failure.test_name)) {
    trend.AddFailureOutsideTests(failure.failed_at);
  } else {
    trend.AddFailure(failure.failed_at, failure.test_name);
  }
}

// Counts the runs and failures of all tests.
void CountAll(Store& store, const RunQuery& query, Trend& trend, TrendCounts& counted) {
  const bool of_all_runs = query.filters.IsEmpty();
  const Detail detail = of_all_runs ? Detail::kRunsOnly : Detail::kFull;
  VisitRuns(store, query, Direction::kOldestFirst, detail, [&](const RunRecord& record) {
    const Account& account = record.run.account;
    ++counted.runs;
    if (HasTests(account)) {
      trend.AddRun(account.started_at, account.status == kFail);
    } else {
      ++counted.without_tests;
    }
    VisitFailuresOf(record, [&](const FailureView& failure) { AddFailure(failure, trend); });
    return true;
  });
  if (!of_all_runs) return;
  FailureFilter filter{.project = query.of_store.project, .after = *query.of_store.since - 1};
  filter.texts = false;
  store.VisitFailures(filter, [&](const FailureView& failure) { AddFailure(failure, trend); });
}

// Counts the executions of the tests that match, and the runs in which one was executed.
void CountTest(Store& store, const RunQuery& query, const std::string& test, Trend& trend, TrendCounts& counted) {
  ExecutionCounter counter(test);
  VisitRuns(store, query, Direction::kOldestFirst, Detail::kFull, [&](const RunRecord& record) {
    const TestExecutions executions = counter.Count(record);
    const Timestamp started_at = record.run.account.started_at;
    ++counted.runs;
    if (!executions.is_known) ++counted.unknown;
    if (executions.executed == 0) return true;
    trend.AddRun(started_at, executions.failed > 0);
    trend.AddExecutions(started_at, executions.executed, executions.failed);
    for (const Failure& failure : record.failures) {
      if (!IsOutsideTests(failure) && counter.Matches(failure.test_name)) {
        trend.AddFailure(failure.failed_at, failure.test_name);
      }
    }
    return true;
  });
  counted.matched = counter.matched();
  counted.names = counter.names();
}

// Returns when the first run of the query's project started.
std::optional<Timestamp> FirstRun(Store& store, RunQuery query) {
  query.of_store.since.reset();
  std::optional<Timestamp> first;
  VisitRuns(store, query, Direction::kOldestFirst, Detail::kRunsOnly, [&](const RunRecord& record) {
    first = record.run.account.started_at;
    return false;
  });
  return first;
}

TrendCounts ReadTrend(Store& store, const RunQuery& query, Timestamp last, const Options& options) {
  TrendCounts counted;
  Trend trend(options.by == "week" ? TrendPeriod::kWeek : TrendPeriod::kDay, *query.of_store.since, last);
  if (options.test.empty()) {
    CountAll(store, query, trend, counted);
  } else {
    CountTest(store, query, options.test, trend, counted);
  }
  counted.buckets = trend.Buckets(FirstRun(store, query));
  return counted;
}

int64_t Sum(const std::vector<TrendBucket>& buckets, int64_t TrendBucket::*count) {
  int64_t sum = 0;
  for (const TrendBucket& bucket : buckets) sum += bucket.*count;
  return sum;
}

// What is counted in each period: the title of the column, empty if the text does not show it, and the name in JSON.
struct Count {
  std::string_view title, name;
  int64_t TrendBucket::*of;
};

constexpr Count kOfAll[] = {{"RUNS", "runs", &TrendBucket::runs},
                            {"FAILED RUNS", "failed_runs", &TrendBucket::failed_runs},
                            {"FAILURES", "failures", &TrendBucket::failures},
                            {"FAILING TESTS", "failing_tests", &TrendBucket::failing_tests},
                            {"", "outside_tests", &TrendBucket::outside_tests}};
constexpr Count kOfTest[] = {{"RUNS", "runs", &TrendBucket::runs},
                             {"FAILED RUNS", "failed_runs", &TrendBucket::failed_runs},
                             {"EXECUTED", "executed", &TrendBucket::executed},
                             {"FAILED", "failed", &TrendBucket::failed},
                             {"", "failures", &TrendBucket::failures},
                             {"", "failing_tests", &TrendBucket::failing_tests}};

std::span<const Count> CountsOf(const Options& options) {
  return options.test.empty() ? std::span<const Count>(kOfAll) : std::span<const Count>(kOfTest);
}

void PrintText(const TrendCounts& counted, const Options& options, const Session& session) {
  const std::vector<TrendBucket>& buckets = counted.buckets;
  const auto spark = [&](std::string_view title, int64_t TrendBucket::*count) {
    std::vector<int64_t> values;
    for (const TrendBucket& bucket : buckets) values.push_back(bucket.*count);
    session.out << title << Sparkline(values) << "  " << Sum(buckets, count) << '\n';
  };
  if (options.test.empty()) {
    spark("runs      ", &TrendBucket::runs);
    spark("failures  ", &TrendBucket::failures);
  } else {
    spark("executed  ", &TrendBucket::executed);
    spark("failed    ", &TrendBucket::failed);
  }
  session.out << '\n';
  std::vector<Column> columns = {{.title = options.by == "week" ? "WEEK FROM" : "DAY"}};
  for (const Count& count : CountsOf(options)) {
    if (!count.title.empty()) columns.push_back({.title = std::string(count.title), .align = Align::kRight});
  }
  Table table(std::move(columns));
  for (const TrendBucket& bucket : buckets) {
    std::vector<Cell> row = {bucket.date};
    for (const Count& count : CountsOf(options)) {
      if (!count.title.empty()) row.emplace_back(std::to_string(bucket.*count.of));
    }
    table.Add(std::move(row));
  }
  table.Print(session.out, session.color);
  const auto note = [&](int64_t count, std::string_view one, std::string_view many) {
    if (count > 0) session.out << '\n' << WithThousands(count) << ' ' << (count == 1 ? one : many) << '\n';
  };
  if (counted.matched.size() > 1) {
    session.out << "\nall " << counted.matched.size() << " tests that match are counted together\n";
  }
  note(Sum(buckets, &TrendBucket::outside_tests), "failure outside of tests is not counted",
       "failures outside of tests are not counted");
  note(counted.without_tests, "run without tests is not counted", "runs without tests are not counted");
  note(counted.unknown, "run does not say which tests it executed; of it only failures are counted",
       "runs do not say which tests they executed; of them only failures are counted");
}

Json AsJson(const TrendCounts& counted, const Options& options,
            const std::optional<std::optional<std::string>>& project) {
  Json json = JsonOutput();
  json["all_projects"] = !project.has_value();
  json["project"] = project && *project ? Json(**project) : Json();
  json["test"] = options.test.empty() ? Json() : Json(options.test);
  json["by"] = options.by;
  json["runs_looked_at"] = counted.runs;
  json["runs_without_tests"] = counted.without_tests;
  if (!options.test.empty()) {
    json["runs_without_roster"] = counted.unknown;
    json["matching_tests"] = counted.matched;
  }
  json["periods"] = Json::array();
  for (const TrendBucket& bucket : counted.buckets) {
    Json period;
    period["date"] = bucket.date;
    for (const Count& count : CountsOf(options)) period[std::string(count.name)] = bucket.*count.of;
    json["periods"].push_back(std::move(period));
  }
  return json;
}

// Returns the tests that the user may have meant: those whose names contain the text, else the nearest one.
std::vector<std::string> Suggestions(const std::string& test, const std::set<std::string>& names) {
  std::vector<std::string> found;
  for (const std::string& name : names) {
    if (MatchesPattern(name, "*" + test + "*")) found.push_back(name);
  }
  if (found.empty()) {
    const std::vector<std::string> all(names.begin(), names.end());
    if (std::string near = Suggestion(test, all); !near.empty()) found.push_back(std::move(near));
  }
  return found;
}

// Says that no execution of the test is known.
void ReportUnknown(Session& session, const TrendCounts& counted, const Options& options, Json& json) {
  session.exit_code = ExitCode::kNothing;
  std::vector<std::string> near = Suggestions(options.test, counted.names);
  json["suggestions"] = near;
  std::string text = "unknown test `" + options.test + "`: no test of that name was executed in " +
                     Counted(counted.runs, "run") + " of the last " + std::to_string(options.days) + " days";
  if (!near.empty()) {
    const size_t more = near.size() - std::min(near.size(), kMostSuggestions);
    near.resize(near.size() - more);
    text += "; did you mean " + Join(near, " or ", [](const std::string& name) { return "`" + name + "`"; });
    if (more > 0) text += " or one of " + std::to_string(more) + " more";
    text += "?";
  }
  Log(session.log, LogLevel::kWarn, text);
}

void ShowTrend(Session& session, const Options& options) {
  const std::unique_ptr<Store> store = OpenHistory(session);
  const auto project = ProjectFilter(session, options.all);
  const Timestamp last = options.at.value_or(Timestamp::Now());
  // From the beginning of the day, so that the first one is whole.
  const Timestamp first = *Timestamp::Parse((last - (options.days - 1) * kMicrosPerDay).Date() + "T00:00:00Z");
  const RunQuery query{.of_store = {.project = project, .since = first, .until = last + 1},
                       .filters = options.filters,
                       .period = "in the last " + Counted(options.days, "day")};
  const TrendCounts counted = ReadTrend(*store, query, last, options);
  Json json = AsJson(counted, options, project);
  const bool is_unknown = !options.test.empty() && counted.matched.empty();
  if (counted.runs == 0) {
    ReportNothing(session, *store, query, &json);
  } else if (is_unknown) {
    ReportUnknown(session, counted, options, json);
  }
  if (options.json) {
    PrintJson(session.out, json);
  } else if (counted.runs > 0 && !is_unknown) {
    PrintText(counted, options, session);
  }
}

}  // namespace

void AddTrend(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("trend", "Count runs and failures by day or week");
  command->add_option("TEST", options->test, "count the executions of this test, Suite.Test; `*` and `?` match several")
      ->type_name("");
  AddProjectOptions(*command, session, &options->all);
  command->add_option("--by", options->by, "the period: day, or week from Monday, in UTC")
      ->check(CLI::IsMember({"day", "week"}))
      ->type_name("PERIOD")
      ->capture_default_str();
  command->add_option("--days", options->days, "how many days back, today included")
      ->check(CLI::Range(1, 3650))
      ->type_name("DAYS")
      ->capture_default_str();
  AddTimeOption(*command, "--at", options->at, "look back from this moment (default: now)");
  AddFilterOptions(*command, options->filters);
  AddJsonFlag(*command, options->json);
  AddFooter(*command,
            {"With TEST, only runs that executed the test count. EXECUTED is how often they did, retries and repeats "
             "included, and FAILED how often it failed then. The output begins with the first run of the project. The "
             "first week may be incomplete.",
             "Exit code: 0, or 6 if there is no run or no test of that name. docs/reference/exit-codes.md lists the "
             "others.",
             kFilterNote},
            {"flaky trend", "flaky trend 'QueueTest.*' --by week --days 90"});
  command->callback([&session, options] { ShowTrend(session, *options); });
}

}  // namespace flaky
