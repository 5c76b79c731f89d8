// SPDX-License-Identifier: MIT
#include "cli/copy_report.h"

#include <cmath>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "cli/output/escaped.h"
#include "cli/output/numbers.h"
#include "transfer/record_converter.h"

namespace flaky {
namespace {

constexpr std::string_view NameOf(CopyOutcome fate) {
  constexpr std::string_view kNames[] = {"copied", "completed", "unchanged", "conflict", "replaced", "differs"};
  return kNames[static_cast<size_t>(fate)];
}

constexpr std::string_view NameOf(Conversion::Kind kind) {
  constexpr std::string_view kNames[] = {"invalid", "text", "word", "cut", "left_out"};
  return kNames[static_cast<size_t>(kind)];
}

void PrintText(const CopySummary& summary, const CopyReport& report, std::ostream& out) {
  const auto row = [&out](std::string_view what, int64_t count, std::string_view note) {
    PrintCount(what, count, note, out);
  };
  out << (report.dry_run ? "would copy " : "copied ") << Escaped(report.from) << " to " << Escaped(report.to) << '\n';
  row("runs read", summary.runs, "");
  row("copied", summary.copied, "new in the target");
  row("updated", summary.completed, "the source had newer data");
  row("unchanged", summary.unchanged, "already in the target");
  row("in conflict", summary.conflicts, "different run with the same id; the target's was kept");
  if (summary.replaced > 0) row("replaced", summary.replaced, "different run with the same id");
  if (!report.dry_run) row("mismatched", summary.differing, "read back differently from what was sent");
  row("parts", summary.parts, "of the runs read");
  row("failures", summary.failures, "of the runs read");
  if (summary.converted > 0) row("converted", summary.converted, "held values that the target cannot hold");
  PrintSpeed({summary.runs, summary.parts, summary.failures}, report.seconds, out);
  for (const CopyFinding& finding : summary.findings) {
    out << "  " << NameOf(finding.fate) << ": run " << Escaped(finding.run_id) << ": " << Escaped(finding.why) << '\n';
  }
  PrintConverted(summary.converted_runs, out);
  const std::string_view but_for = summary.converted > 0 ? " except for converted values" : "";
  if (report.dry_run) {
    out << "nothing was written\n";
  } else if (summary.stopped) {
    out << "interrupted: the runs above are copied and verified; run it again for the rest\n";
  } else if (summary.gave_up) {
    out << "stopped at a conflict (--on-conflict fail): the runs counted above are copied and verified\n";
  } else if (summary.runs == 0) {
    out << "nothing to verify: the source has no runs, or none that were selected\n";
  } else if (summary.source_digest == summary.target_digest) {
    out << "verified: source and target are equal" << but_for << ", digest " << summary.source_digest.ToString()
        << '\n';
  } else if (summary.Verified()) {
    out << "verified: the target holds all of the source" << but_for << ", and more in " << WithThousands(summary.ahead)
        << " runs\n";
  } else {
    out << "NOT verified: see the runs above\n";
  }
}

void PrintAsJson(const CopySummary& summary, const CopyReport& report, std::ostream& out) {
  Json findings = Json::array();
  for (const CopyFinding& finding : summary.findings) {
    findings.push_back({{"run_id", finding.run_id}, {"fate", NameOf(finding.fate)}, {"why", finding.why}});
  }
  Json json = JsonOutput();
  json["from"] = report.from;
  json["to"] = report.to;
  json["dry_run"] = report.dry_run;
  json["interrupted"] = summary.stopped;
  json["verified"] = !report.dry_run && summary.runs > 0 && summary.Verified();
  json["runs"] = summary.runs;
  json["copied"] = summary.copied;
  json["completed"] = summary.completed;
  json["unchanged"] = summary.unchanged;
  json["conflicts"] = summary.conflicts;
  json["replaced"] = summary.replaced;
  json["different"] = summary.differing;
  json["target_ahead"] = summary.ahead;
  json["parts"] = summary.parts;
  json["failures"] = summary.failures;
  json["sent"] = summary.sent;
  json["converted"] = summary.converted;
  json["seconds"] = report.seconds;
  json["source_digest"] = summary.source_digest.ToString();
  json["target_digest"] = summary.target_digest.ToString();
  json["findings"] = std::move(findings);
  json["conversions"] = JsonOfConverted(summary.converted_runs);
  if (report.remarks) json["remarks"] = JsonOfRemarks(*report.remarks);
  PrintJson(out, json);
}

}  // namespace

void PrintConverted(const std::vector<ConvertedRun>& runs, std::ostream& out) {
  for (const ConvertedRun& run : runs) {
    out << "  converted: run " << Escaped(run.run_id) << ": " << Escaped(ConversionPhrase(run.conversions)) << '\n';
  }
}

Json JsonOfConverted(const std::vector<ConvertedRun>& runs) {
  Json conversions = Json::array();
  for (const ConvertedRun& run : runs) {
    for (const Conversion& conversion : run.conversions) {
      conversions.push_back({{"run_id", run.run_id},
                             {"column", conversion.column},
                             {"kind", NameOf(conversion.kind)},
                             {"amount", conversion.amount},
                             {"example", conversion.example}});
    }
  }
  return conversions;
}

Json JsonOfRemarks(const std::vector<Remark>& remarks) {
  Json texts = Json::array();
  for (const Remark& remark : remarks) texts.push_back(remark.text);
  return texts;
}

void PrintCount(std::string_view what, int64_t count, std::string_view note, std::ostream& out) {
  constexpr size_t kWidth = 24;
  const std::string number = WithThousands(count);
  const size_t taken = what.size() + number.size();
  out << "  " << what << std::string(taken < kWidth ? kWidth - taken : 1, ' ') << number << (note.empty() ? "" : "  ")
      << note << '\n';
}

void PrintSpeed(const Totals& totals, double seconds, std::ostream& out) {
  const int64_t rows = totals.runs + totals.parts + totals.failures;
  const double rate = seconds > 0 ? static_cast<double>(rows) / seconds : 0;
  PrintCount("rows per second", std::llround(rate), WithThousands(rows) + " rows in " + AsDuration(seconds), out);
}

void PrintCopy(const CopySummary& summary, const CopyReport& report, std::ostream& out) {
  (report.json ? PrintAsJson : PrintText)(summary, report, out);
}

ExitCode CodeOf(const CopySummary& summary) {
  if (summary.differing > 0) return ExitCode::kDifferences;
  if (summary.stopped) return ExitCode::kInterrupted;
  return summary.conflicts > 0 ? ExitCode::kPartial : ExitCode::kOk;
}

}  // namespace flaky
