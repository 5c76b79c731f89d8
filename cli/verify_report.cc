#include "cli/verify_report.h"

#include <algorithm>
#include <iterator>
#include <ostream>
#include <string_view>
#include <tuple>
#include <utility>

#include "cli/output/escaped.h"
#include "cli/output/json_output.h"
#include "cli/output/numbers.h"
#include "cli/output/table.h"

namespace flaky {
namespace {

struct Kind {
  char mark;
  std::string_view name;
};

Kind KindOf(Comparison comparison) {
  switch (comparison) {
    case Comparison::kOnlySource:
      return {'+', "only_source"};
    case Comparison::kOnlyTarget:
      return {'-', "only_target"};
    case Comparison::kDifferent:
      return {'*', "different"};
    case Comparison::kEqual:
    case Comparison::kAhead:  // the target has all of it
      break;
  }
  return {'=', comparison == Comparison::kAhead ? "ahead" : "equal"};
}

std::string Phrase(const Totals& totals) {
  return Counted(totals.runs, "run") + ", " + Counted(totals.parts, "part") + ", " +
         Counted(totals.failures, "failure");
}

void PrintBuckets(const VerifyReport& report, std::ostream& out, bool color) {
  const bool whole = !report.options.runs_only;
  std::vector<Column> columns = {{"project"}, {"month"}};
  columns.push_back({"runs in source", Align::kRight});
  columns.push_back({"in target", Align::kRight});
  if (whole) {
    columns.push_back({"failures in source", Align::kRight});
    columns.push_back({"in target", Align::kRight});
  }
  columns.push_back({"differences", Align::kRight});
  Table table(std::move(columns));
  bool any = false;
  for (const auto& [key, bucket] : report.account.buckets) {
    if (bucket.differences == 0) continue;
    any = true;
    std::vector<Cell> row = {key.project.value_or("-"), key.month, WithThousands(bucket.source.totals.runs),
                             WithThousands(bucket.target.totals.runs)};
    if (whole) {
      row.emplace_back(WithThousands(bucket.source.totals.failures));
      row.emplace_back(WithThousands(bucket.target.totals.failures));
    }
    row.emplace_back(WithThousands(bucket.differences));
    table.Add(std::move(row));
  }
  if (any) table.Print(out, color);
}

// Returns what was compared, for the last line.
std::string Extent(const VerifyReport& report) {
  std::string extent;
  if (report.options.runs_only) extent += ", by the fields of the runs and the counts of the rest only";
  if (!report.sample.empty()) extent += ", in a sample of " + report.sample + " of the runs";
  return extent;
}

std::string Closing(const VerifyReport& report) {
  const VerifySummary& account = report.account;
  const std::string counts = "only in the source " + WithThousands(account.only_source) + ", only in the target " +
                             WithThousands(account.only_target) + ", different " + WithThousands(account.different) +
                             ", equal " + WithThousands(account.equal);
  if (account.stopped) return "interrupted; so far: " + counts;
  if (!account.SameAs(report.options)) return "NOT equal" + Extent(report) + ": " + counts;
  if (account.only_target == 0 && account.ahead == 0) {
    return "equal" + Extent(report) + ": " + Counted(account.equal, "run");
  }
  return "the target holds all of the source" + Extent(report) + ": equal " + WithThousands(account.equal) +
         ", more in the target " + WithThousands(account.ahead) + ", only in the target " +
         WithThousands(account.only_target);
}

Json ToJson(const Contents& contents) {
  return {{"runs", contents.totals.runs},
          {"parts", contents.totals.parts},
          {"failures", contents.totals.failures},
          {"digest", contents.digest.ToString()}};
}

}  // namespace

void VerifiedRuns::Add(const ComparedRun& run) {
  const bool equal = run.comparison == Comparison::kEqual || run.comparison == Comparison::kAhead ||
                     (one_way_ && run.comparison == Comparison::kOnlyTarget);
  if (equal && !list_equal_) return;
  std::vector<ComparedRun>& list = equal ? equal_ : differing_;
  if (list.size() < kMaxListed) {
    list.push_back(run);
  } else {
    ++left_out_;
  }
}

std::vector<ComparedRun> VerifiedRuns::Listed() const {
  std::vector<ComparedRun> all = differing_;
  std::ranges::copy(equal_, std::back_inserter(all));
  std::ranges::sort(all, {}, [](const ComparedRun& run) { return std::tie(run.started_at, run.run_id); });
  return all;
}

void PrintVerifyText(const VerifyReport& report, std::ostream& out, bool color) {
  const VerifySummary& account = report.account;
  for (const ComparedRun& run : report.runs.Listed()) {
    out << KindOf(run.comparison).mark << ' ' << Escaped(run.run_id);
    if (run.comparison == Comparison::kDifferent) out << "  " << Escaped(run.what);
    if (run.comparison == Comparison::kAhead) out << "  the target has more of it";
    out << '\n';
  }
  if (report.runs.left_out() > 0) {
    out << WithThousands(static_cast<int64_t>(report.runs.left_out())) << " more are counted but not listed\n";
  }
  PrintBuckets(report, out, color);
  if (account.converted > 0) {
    out << Counted(account.converted, "run")
        << " held values that one of the stores cannot hold: compared as a copy would convert them\n";
  }
  out << "source: " << report.source << ": " << Phrase(account.source.totals) << ", digest "
      << account.source.digest.ToString() << '\n'
      << "target: " << report.target << ": " << Phrase(account.target.totals) << ", digest "
      << account.target.digest.ToString() << '\n'
      << Closing(report) << '\n';
}

void PrintVerifyJson(const VerifyReport& report, std::ostream& out) {
  const VerifySummary& account = report.account;
  Json json = JsonOutput();
  json["source"] = report.source;
  json["target"] = report.target;
  json["interrupted"] = account.stopped;
  json["same"] = !account.stopped && account.SameAs(report.options);
  json["one_way"] = report.options.one_way;
  json["quick"] = report.options.runs_only;
  json["sample"] = report.sample.empty() ? Json() : Json(report.options.share);
  json["equal"] = account.equal;
  json["only_source"] = account.only_source;
  json["only_target"] = account.only_target;
  json["different"] = account.different;
  json["target_ahead"] = account.ahead;
  json["converted"] = account.converted;
  json["seconds"] = report.seconds;
  json["in_source"] = ToJson(account.source);
  json["in_target"] = ToJson(account.target);
  Json buckets = Json::array();
  for (const auto& [key, bucket] : account.buckets) {
    if (bucket.differences == 0) continue;
    buckets.push_back({{"project", key.project ? Json(*key.project) : Json()},
                       {"month", key.month},
                       {"differences", bucket.differences},
                       {"in_source", ToJson(bucket.source)},
                       {"in_target", ToJson(bucket.target)}});
  }
  json["differing_buckets"] = std::move(buckets);
  Json runs = Json::array();
  for (const ComparedRun& run : report.runs.Listed()) {
    runs.push_back({{"run_id", run.run_id},
                    {"comparison", KindOf(run.comparison).name},
                    {"what", run.what.empty() ? Json() : Json(run.what)}});
  }
  json["runs"] = std::move(runs);
  json["runs_not_listed"] = report.runs.left_out();
  PrintJson(out, json);
}

}  // namespace flaky
