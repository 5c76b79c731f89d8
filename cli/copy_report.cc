#include "cli/copy_report.h"

#include <cmath>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "cli/json_output.h"
#include "cli/numbers.h"
#include "cli/printable.h"

namespace flaky {
namespace {

std::string_view NameOf(Fate fate) {
  switch (fate) {
    case Fate::kCopied:
      return "copied";
    case Fate::kCompleted:
      return "completed";
    case Fate::kUnchanged:
      return "unchanged";
    case Fate::kConflict:
      return "conflict";
    case Fate::kDiffers:
      return "differs";
  }
  return "";
}

void PrintText(const CopyAccount& account, const CopyReport& report, std::ostream& out) {
  const auto row = [&out](std::string_view what, int64_t count, std::string_view note) {
    PrintCount(what, count, note, out);
  };
  out << (report.dry_run ? "would copy " : "copied ") << report.from << " to " << report.to << '\n';
  row("runs read", account.runs, "");
  row("copied", account.copied, "were not in the target");
  row("completed", account.completed, "had grown or ended since");
  row("unchanged", account.unchanged, "were there already");
  row("in conflict", account.conflicts, "the target has others of the same id, and keeps them");
  if (!report.dry_run) row("different", account.differing, "are not in the target as they were sent");
  row("parts", account.parts, "of the runs read");
  row("failures", account.failures, "of the runs read");
  if (account.cut > 0) row("cut", account.cut, "had texts that are too large for the target");
  PrintSpeed({account.runs, account.parts, account.failures}, report.seconds, out);
  for (const Finding& finding : account.findings) {
    out << "  " << NameOf(finding.fate) << ": run " << Printable(finding.run_id) << ": " << Printable(finding.why)
        << '\n';
  }
  for (const CutRun& run : account.cut_runs) {
    out << "  cut: run " << Printable(run.run_id) << ": " << CutPhrase(run.cuts) << '\n';
  }
  const std::string_view but_for_cuts = account.cut > 0 ? " but for what was cut" : "";
  if (report.dry_run) {
    out << "nothing was written\n";
  } else if (account.stopped) {
    out << "interrupted: what is listed is copied and verified; run the same command again for the rest\n";
  } else if (account.source_digest == account.target_digest) {
    out << "verified: both hold the same" << but_for_cuts << ", digest " << account.source_digest.ToString() << '\n';
  } else if (account.Verified()) {
    out << "verified: the target holds all of the source" << but_for_cuts << ", and more in "
        << WithThousands(account.ahead) << " runs\n";
  } else {
    out << "NOT verified: see the runs above\n";
  }
}

void PrintAsJson(const CopyAccount& account, const CopyReport& report, std::ostream& out) {
  Json findings = Json::array();
  for (const Finding& finding : account.findings) {
    findings.push_back({{"run_id", finding.run_id}, {"fate", NameOf(finding.fate)}, {"why", finding.why}});
  }
  Json cuts = Json::array();
  for (const CutRun& run : account.cut_runs) {
    for (const Cut& cut : run.cuts) {
      cuts.push_back({{"run_id", run.run_id}, {"column", cut.column}, {"bytes", cut.bytes}});
    }
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
  json["different"] = account.differing;
  json["target_ahead"] = account.ahead;
  json["parts"] = account.parts;
  json["failures"] = account.failures;
  json["cut"] = account.cut;
  json["seconds"] = report.seconds;
  json["source_digest"] = account.source_digest.ToString();
  json["target_digest"] = account.target_digest.ToString();
  json["findings"] = std::move(findings);
  json["cuts"] = std::move(cuts);
  PrintJson(out, json);
}

}  // namespace

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
  PrintCount("rows a second", std::llround(rate), WithThousands(rows) + " rows in " + AsDuration(seconds), out);
}

void PrintCopy(const CopyAccount& account, const CopyReport& report, std::ostream& out) {
  (report.json ? PrintAsJson : PrintText)(account, report, out);
}

ExitCode CodeOf(const CopyAccount& account) {
  if (account.differing > 0) return ExitCode::kDifferences;
  if (account.stopped) return ExitCode::kInterrupted;
  return account.conflicts > 0 ? ExitCode::kPartly : ExitCode::kOk;
}

}  // namespace flaky
