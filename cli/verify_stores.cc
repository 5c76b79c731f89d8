// SPDX-License-Identifier: MIT
#include "cli/verify_stores.h"

#include <charconv>
#include <memory>
#include <optional>
#include <string_view>

#include "cli/copy_into.h"
#include "cli/options.h"
#include "cli/output/interrupt.h"
#include "cli/output/stopwatch.h"
#include "cli/output/terminal_progress.h"
#include "cli/verify_report.h"
#include "transfer/verify.h"

namespace flaky {
namespace {

// Returns 0.05 for "5%", or nullopt if the text is not a percentage.
std::optional<double> ShareOf(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  double percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size() || !(percent > 0 && percent <= 100)) return std::nullopt;
  return percent / 100;
}

VerifyOptions HowToVerify(const ComparisonOptions& options) {
  VerifyOptions how;
  how.share = options.share;
  how.runs_only = options.quick;
  how.one_way = options.one_way;
  how.stop = InterruptGuard::Seen;
  for (const std::string& project : options.projects) {
    how.projects.push_back(project.empty() ? std::nullopt : std::optional(project));
  }
  return how;
}

}  // namespace

void CompareStores(Session& session, const Location& source, const Location& target, const ComparisonOptions& options) {
  const Stopwatch watch;
  const InterruptGuard interrupt;
  const std::unique_ptr<Store> source_store = OpenStore(source, OpenMode::kRead, PatientRetrying(session));
  const std::unique_ptr<Store> target_store = OpenStore(target, OpenMode::kRead, PatientRetrying(session));
  ReportWarnings(session, *source_store);
  ReportWarnings(session, *target_store);
  TerminalProgress progress(session.err, FormOf(session.terminal, options.json));
  VerifiedRuns runs(options.combined, options.one_way);
  VerifyOptions how = HowToVerify(options);
  how.on_run = [&runs](const ComparedRun& run) { runs.Add(run); };

  const VerifySummary summary = Verify(*source_store, *target_store, how, progress);
  const VerifyReport report{summary,        how, runs, source.display_name, target.display_name, options.sample,
                            watch.Seconds()};
  if (options.json) {
    PrintVerifyJson(report, session.out);
  } else {
    PrintVerifyText(report, session.out, session.color);
  }
  if (summary.stopped) {
    session.exit_code = ExitCode::kInterrupted;
  } else if (!summary.SameAs(how)) {
    session.exit_code = ExitCode::kDifferences;
  }
}

void AddComparisonOptions(CLI::App& command, ComparisonOptions& options) {
  command
      .add_option_function<std::string>(
          "--project", [&options](const std::string& project) { options.projects.push_back(project); },
          "only the runs of this project, '' for those without one; repeatable")
      ->type_name("NAME")
      ->trigger_on_parse();
  CLI::Option* sample = command
                            .add_option_function<std::string>(
                                "--sample",
                                [&options](const std::string& text) {
                                  const std::optional<double> share = ShareOf(text);
                                  if (!share)
                                    throw CLI::ValidationError(
                                        "--sample", "`" + text + "`: invalid sample; expected a percentage such as 5%");
                                  options.share = *share;
                                  options.sample = text;
                                },
                                "compare this share of the runs, such as 5%; always the same runs")
                            ->type_name("SHARE");
  command
      .add_flag("--quick", options.quick,
                "compare the fields of the runs, and only the counts of their parts and failures")
      ->excludes(sample);
  command.add_flag("--one-way", options.one_way, "do not report what only the target has");
  command.add_flag("--combined", options.combined, "also list the runs that are equal");
  AddJsonFlag(command, options.json);
}

}  // namespace flaky
