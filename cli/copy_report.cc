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

void PrintText(const CopySummary& account, const CopyReport& report, std::ostream& out) {
  const auto row = [&out](std::string_view what, int64_t count, std::string_view note) {
    PrintCount(what, count, note, out);
  };
  out << (report.dry_run ? "would copy " : "copied ") << report.from << " to " << report.to << '\n';
  row("runs read", account.runs, "");
  row("copied", account.copied, "new in the target");
  row("updated", account.completed, "the source had newer data");
  row("unchanged", account.unchanged, "already in the target");
  row("in conflict", account.conflicts, "different run with the same id; the target's was kept");
  if (account.replaced > 0) row("replaced", account.replaced, "different run with the same id");
  if (!report.dry_run) row("mismatched", account.differing, "read back differently from what was sent");
  row("parts", account.parts, "of the runs read");
  row("failures", account.failures, "of the runs read");
  if (account.converted > 0) row("converted", account.converted, "held values that the target cannot hold");
  PrintSpeed({account.runs, account.parts, account.failures}, report.seconds, out);
  for (const CopyFinding& finding : account.findings) {
    out << "  " << NameOf(finding.fate) << ": run " << Escaped(finding.run_id) << ": " << Escaped(finding.why) << '\n';
  }
  PrintConverted(account.converted_runs, out);
  const std::string_view but_for = account.converted > 0 ? " except for converted values" : "";
  if (report.dry_run) {
    out << "nothing was written\n";
  } else if (account.stopped) {
    out << "interrupted: the runs counted above are copied and verified; run the same command again to copy the rest\n";
  } else if (account.gave_up) {
    out << "stopped at a conflict (--on-conflict fail): the runs counted above are copied and verified\n";
  } else if (account.source_digest == account.target_digest) {
    out << "verified: source and target are equal" << but_for << ", digest " << account.source_digest.ToString()
        << '\n';
  } else if (account.Verified()) {
    out << "verified: the target holds all of the source" << but_for << ", and more in " << WithThousands(account.ahead)
        << " runs\n";
  } else {
    out << "NOT verified: see the runs above\n";
  }
}

void PrintAsJson(const CopySummary& account, const CopyReport& report, std::ostream& out) {
  Json findings = Json::array();
  for (const CopyFinding& finding : account.findings) {
    findings.push_back({{"run_id", finding.run_id}, {"fate", NameOf(finding.fate)}, {"why", finding.why}});
  }
  Json json = JsonOutput();
  json["from"] = report.from;
  json["to"] = report.to;
  json["dry_run"] = report.dry_run;
  json["interrupted"] = account.stopped;
  json["verified"] = !report.dry_run && account.Verified();
  json["runs"] = account.runs;
  json["copied"] = account.copied;
  json["completed"] = account.completed;
  json["unchanged"] = account.unchanged;
  json["conflicts"] = account.conflicts;
  json["replaced"] = account.replaced;
  json["different"] = account.differing;
  json["target_ahead"] = account.ahead;
  json["parts"] = account.parts;
  json["failures"] = account.failures;
  json["sent"] = account.sent;
  json["converted"] = account.converted;
  json["seconds"] = report.seconds;
  json["source_digest"] = account.source_digest.ToString();
  json["target_digest"] = account.target_digest.ToString();
  json["findings"] = std::move(findings);
  json["conversions"] = JsonOfConverted(account.converted_runs);
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

void PrintCopy(const CopySummary& account, const CopyReport& report, std::ostream& out) {
  (report.json ? PrintAsJson : PrintText)(account, report, out);
}

ExitCode CodeOf(const CopySummary& account) {
  if (account.differing > 0) return ExitCode::kDifferences;
  if (account.stopped) return ExitCode::kInterrupted;
  return account.conflicts > 0 ? ExitCode::kPartial : ExitCode::kOk;
}

}  // namespace flaky
