#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "analysis/trend.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/output/json_output.h"
#include "cli/output/log.h"
#include "cli/output/table.h"

namespace flaky {
namespace {

constexpr size_t kPageSize = 4096;

struct Options {
  std::string test;
  std::string by = "day";
  int64_t days = 30;
  bool all = false;
  bool json = false;
  std::optional<Timestamp> at;
};

void CountRuns(Store& store, const RunFilter& filter, Trend& trend) {
  PageRequest request{
      .filter = filter, .after = std::nullopt, .direction = Direction::kOldestFirst, .detail = Detail::kRunsOnly};
  request.max_records = kPageSize;
  do {
    const Page page = store.Read(request);
    for (const RunRecord& record : page.records) {
      trend.AddRun(record.run.account.started_at, record.run.account.status == kFail);
    }
    request.after = page.next;
  } while (request.after);
}

std::vector<TrendBucket> ReadTrend(Store& store, const Session& session, const Options& options) {
  const Timestamp last = options.at.value_or(Timestamp::Now());
  // From the beginning of the day, so that the first one is whole.
  const Timestamp first = *Timestamp::Parse((last - (options.days - 1) * kMicrosPerDay).Date() + "T00:00:00Z");
  Trend trend(options.by == "week" ? TrendPeriod::kWeek : TrendPeriod::kDay, first, last);
  const auto project = ProjectFilter(session, options.all);
  CountRuns(store, {.project = project, .since = first, .until = last + 1}, trend);
  FailureFilter filter{.project = project, .after = first - 1};
  filter.texts = false;
  if (!options.test.empty()) filter.test_name = options.test;
  store.VisitFailures(filter,
                      [&](const FailureView& failure) { trend.AddFailure(failure.failed_at, failure.test_name); });
  return trend.Buckets();
}

int64_t Sum(const std::vector<TrendBucket>& buckets, int64_t TrendBucket::*count) {
  int64_t sum = 0;
  for (const TrendBucket& bucket : buckets) sum += bucket.*count;
  return sum;
}

void PrintText(const std::vector<TrendBucket>& buckets, const Options& options, const Session& session) {
  const auto spark = [&](std::string_view title, int64_t TrendBucket::*count) {
    std::vector<int64_t> values;
    for (const TrendBucket& bucket : buckets) values.push_back(bucket.*count);
    session.out << title << Sparkline(values) << "  " << Sum(buckets, count) << '\n';
  };
  spark("runs      ", &TrendBucket::runs);
  spark("failures  ", &TrendBucket::failures);
  session.out << '\n';
  Table table({{.title = options.by == "week" ? "WEEK FROM" : "DAY"},
               {.title = "RUNS", .align = Align::kRight},
               {.title = "FAILED RUNS", .align = Align::kRight},
               {.title = "FAILURES", .align = Align::kRight},
               {.title = "FAILING TESTS", .align = Align::kRight}});
  for (const TrendBucket& bucket : buckets) {
    table.Add({bucket.date, std::to_string(bucket.runs), std::to_string(bucket.failed_runs),
               std::to_string(bucket.failures), std::to_string(bucket.failing_tests)});
  }
  table.Print(session.out, session.color);
}

Json AsJson(const std::vector<TrendBucket>& buckets, const Options& options,
            const std::optional<std::optional<std::string>>& project) {
  Json json = JsonOutput();
  json["all_projects"] = !project.has_value();
  json["project"] = project && *project ? Json(**project) : Json();
  json["test"] = options.test.empty() ? Json() : Json(options.test);
  json["by"] = options.by;
  json["periods"] = Json::array();
  for (const TrendBucket& bucket : buckets) {
    json["periods"].push_back({{"date", bucket.date},
                               {"runs", bucket.runs},
                               {"failed_runs", bucket.failed_runs},
                               {"failures", bucket.failures},
                               {"failing_tests", bucket.failing_tests}});
  }
  return json;
}

void ShowTrend(Session& session, const Options& options) {
  const std::unique_ptr<Store> store = OpenHistory(session);
  const std::vector<TrendBucket> buckets = ReadTrend(*store, session, options);
  const auto project = ProjectFilter(session, options.all);
  if (options.json) {
    PrintJson(session.out, AsJson(buckets, options, project));
    return;
  }
  PrintText(buckets, options, session);
  if (Sum(buckets, &TrendBucket::runs) == 0) {
    Log(session.log, LogLevel::kWarn,
        "no such runs of " + ProjectPhrase(project) + (options.all ? "" : " (--all includes every project)"));
  } else if (!options.test.empty() && Sum(buckets, &TrendBucket::failures) == 0) {
    Log(session.log, LogLevel::kWarn,
        "no failure of `" + options.test + "` in this period; give the full name, Suite.Test");
  }
}

}  // namespace

void AddTrend(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("trend", "Count runs and failures by day or week");
  command->add_option("TEST", options->test, "only the failures of this test: Suite.Test")->type_name("");
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
  AddJsonFlag(*command, options->json);
  AddFooter(*command,
            {"With TEST, the number of runs is still that of all runs: it says how often the test could have failed. "
             "The first week may be incomplete."},
            {"flaky trend", "flaky trend QueueTest.Pops --by week --days 90"});
  command->callback([&session, options] { ShowTrend(session, *options); });
}

}  // namespace flaky
