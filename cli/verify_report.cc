// SPDX-License-Identifier: MIT
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
  for (const auto& [key, bucket] : report.summary.buckets) {
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
  const VerifySummary& summary = report.summary;
  const std::string counts = "only in the source " + WithThousands(summary.only_source) + ", only in the target " +
                             WithThousands(summary.only_target) + ", different " + WithThousands(summary.different) +
                             ", equal " + WithThousands(summary.equal);
  if (summary.stopped) return "interrupted; so far: " + counts;
  if (!summary.SameAs(report.options)) return "NOT equal" + Extent(report) + ": " + counts;
  if (summary.equal == 0 && summary.only_target == 0 && summary.ahead == 0) {
    return "nothing was compared" + Extent(report) + ": neither store has runs, or none that were selected";
  }
  if (summary.only_target == 0 && summary.ahead == 0) {
    return "equal" + Extent(report) + ": " + Counted(summary.equal, "run");
  }
  return "the target holds all of the source" + Extent(report) + ": equal " + WithThousands(summary.equal) +
         ", more in the target " + WithThousands(summary.ahead) + ", only in the target " +
         WithThousands(summary.only_target);
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
  const VerifySummary& summary = report.summary;
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
  if (summary.converted > 0) {
    out << Counted(summary.converted, "run")
        << " held values that one of the stores cannot hold: compared as a copy would convert them\n";
  }
  out << "source: " << Escaped(report.source) << ": " << Phrase(summary.source.totals) << ", digest "
      << summary.source.digest.ToString() << '\n'
      << "target: " << Escaped(report.target) << ": " << Phrase(summary.target.totals) << ", digest "
      << summary.target.digest.ToString() << '\n'
      << Escaped(Closing(report)) << '\n';
}

void PrintVerifyJson(const VerifyReport& report, std::ostream& out) {
  const VerifySummary& summary = report.summary;
  Json json = JsonOutput();
  json["source"] = report.source;
  json["target"] = report.target;
  json["interrupted"] = summary.stopped;
  json["same"] = !summary.stopped && summary.SameAs(report.options);
  json["one_way"] = report.options.one_way;
  json["quick"] = report.options.runs_only;
  json["sample"] = report.sample.empty() ? Json() : Json(report.options.share);
  json["equal"] = summary.equal;
  json["only_source"] = summary.only_source;
  json["only_target"] = summary.only_target;
  json["different"] = summary.different;
  json["target_ahead"] = summary.ahead;
  json["converted"] = summary.converted;
  json["seconds"] = report.seconds;
  json["in_source"] = ToJson(summary.source);
  json["in_target"] = ToJson(summary.target);
  Json buckets = Json::array();
  for (const auto& [key, bucket] : summary.buckets) {
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
