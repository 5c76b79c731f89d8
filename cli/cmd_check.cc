// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "analysis/new_patterns.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/output/early_end_text.h"
#include "cli/output/escaped.h"
#include "cli/output/json_output.h"
#include "cli/output/run_text.h"
#include "cli/output/table.h"
#include "cli/output/time_text.h"
#include "history/text.h"

namespace flaky {
namespace {

struct Options {
  bool json = false;
  std::optional<Timestamp> at;
};

std::string Days(int64_t days) { return std::to_string(days) + (days == 1 ? " day" : " days"); }

// Reads the window without its texts, which are most of what a server would have to send, then the few texts that are
// shown.
std::vector<NewPattern> FindPatterns(Store& store, const NewPatternRule& rule, const Options& options,
                                     const std::optional<std::optional<std::string>>& project) {
  NewPatternFinder finder(rule);
  FailureFilter window{.project = project, .after = rule.Horizon()};
  window.texts = false;
  store.VisitFailures(window, [&](const FailureView& failure) {
    if (options.at && failure.failed_at > *options.at) return;
    finder.AddWithoutTexts(failure);
  });
  FailureFilter shown;
  shown.ids = finder.TextsWanted();
  if (!shown.ids.empty()) {
    store.VisitFailures(shown, [&](const FailureView& failure) { finder.AddTexts(failure); });
  }
  return finder.Find();
}

// The latest run, if it ended early without a status.
struct EarlyRun {
  Run run;
  std::vector<EarlyEnd> ends;
};

std::optional<EarlyRun> LatestIfEarly(Store& store, const Options& options,
                                      const std::optional<std::optional<std::string>>& project) {
  PageRequest request;
  request.filter.project = project;
  if (options.at) request.filter.until = Timestamp{options.at->micros + 1};
  request.direction = Direction::kNewestFirst;
  request.detail = Detail::kRunsOnly;
  request.max_records = 1;
  const Page page = store.Read(request);
  if (page.records.empty()) return std::nullopt;
  const Run& run = page.records.front().run;
  if (!run.account.ended_at || run.account.status) return std::nullopt;
  for (const RunRecord& record : store.Fetch(std::span(&run.run_id, 1))) {
    std::vector<EarlyEnd> ends = EarlyEndsOf(record.parts);
    if (!ends.empty()) return EarlyRun{record.run, std::move(ends)};
  }
  return std::nullopt;
}

void PrintEarlyRun(const EarlyRun& early, const Session& session) {
  session.out << "\nnot judged: the latest run " << Escaped(ShortIds({early.run}).front()) << ", started "
              << TimeText(early.run.account.started_at) << " UTC, ended early\n";
  for (const EarlyEnd& end : early.ends) {
    session.out << "    " << Escaped(EarlyEndName(end)) << ": " << Escaped(EarlyEndPhrase(end)) << '\n';
  }
}

void PrintText(const std::vector<NewPattern>& patterns, const NewPatternRule& rule, const std::string& project,
               const Session& session) {
  std::ostream& out = session.out;
  out << (patterns.empty() ? "no" : std::to_string(patterns.size())) << " newly flaky "
      << (patterns.size() == 1 ? "test" : "tests") << " in " << Escaped(project) << ": " << rule.threshold
      << " or more failures in the last " << Days(rule.window_days) << ", none in the " << Days(rule.window_days)
      << " before\n";
  for (const NewPattern& pattern : patterns) {
    out << '\n'
        << Styled(Escaped(pattern.test_name), Style::kBad, session.color) << "  " << Escaped(pattern.test_file)
        << "\n    " << pattern.recent << (pattern.recent == 1 ? " failure (" : " failures (")
        << Escaped(Join(pattern.kinds, ", ")) << "), last " << TimeText(pattern.last_failed_at) << " UTC\n";
    if (pattern.last_message) out << "    " << Escaped(FirstLine(*pattern.last_message)) << '\n';
  }
}

Json AsJson(const std::vector<NewPattern>& patterns, const NewPatternRule& rule,
            const std::optional<std::string>& project, const std::optional<EarlyRun>& early) {
  Json json = JsonOutput();
  json["project"] = project ? Json(*project) : Json();
  json["window_days"] = rule.window_days;
  json["threshold"] = rule.threshold;
  json["at"] = rule.now.ToString();
  json["patterns"] = Json::array();
  for (const NewPattern& pattern : patterns) {
    json["patterns"].push_back({{"test_file", pattern.test_file},
                                {"test_name", pattern.test_name},
                                {"recent", pattern.recent},
                                {"kinds", pattern.kinds},
                                {"last_message", pattern.last_message ? Json(*pattern.last_message) : Json()},
                                {"last_stack", pattern.last_stack ? Json(*pattern.last_stack) : Json()},
                                {"last_failed_at", pattern.last_failed_at.ToString()}});
  }
  json["latest_ended_early"] = Json();
  if (early) {
    Json& latest = json["latest_ended_early"];
    latest["run_id"] = early->run.run_id;
    latest["tests"] = Json::array();
    for (const EarlyEnd& end : early->ends) {
      latest["tests"].push_back({{"name", EarlyEndName(end)}, {"program", end.program}, {"what", EarlyEndPhrase(end)}});
    }
  }
  return json;
}

void Check(Session& session, const Options& options) {
  const NewPatternRule rule{.window_days = session.settings.Get(setting::kWindow),
                            .threshold = session.settings.Get(setting::kThreshold),
                            .now = options.at.value_or(Timestamp::Now())};
  const std::optional<std::string> project = session.resolved.project;
  const std::unique_ptr<Store> store = OpenHistory(session);
  const std::vector<NewPattern> patterns = FindPatterns(*store, rule, options, project);
  const std::optional<EarlyRun> early = LatestIfEarly(*store, options, project);
  if (options.json) {
    PrintJson(session.out, AsJson(patterns, rule, project, early));
  } else {
    PrintText(patterns, rule, ProjectPhrase(project), session);
    if (early) PrintEarlyRun(*early, session);
  }
  const auto is_unknown = [](const EarlyEnd& end) { return end.cause != EarlyEnd::Cause::kInterrupted; };
  if (!patterns.empty()) {
    session.exit_code = ExitCode::kFindings;
  } else if (early && std::ranges::any_of(early->ends, is_unknown)) {
    session.exit_code = ExitCode::kPartial;
  }
}

}  // namespace

void AddCheck(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("check", "Find the tests that have newly become flaky");
  AddProjectOptions(*command, session, nullptr);
  AddSettingOption(*command, session, "--window", "DAYS", setting::kWindow);
  AddSettingOption(*command, session, "--threshold", "COUNT", setting::kThreshold);
  AddTimeOption(*command, "--at", options->at, "judge as of this time, without later failures (default: now)");
  AddJsonFlag(*command, options->json);
  AddFooter(*command,
            {"Reports a test if it failed at least --threshold times within the last --window days and did not fail in "
             "the --window days before. Runs that did not end, and runs with 10 or more failed tests, do not count.",
             "If the latest run ended early, this is said. The tests that were running did not fail.",
             "Exit code: 0 no such test, 1 at least one, 3 no such test, but what ended the latest run is unknown. "
             "docs/reference/exit-codes.md lists the others."},
            {"flaky check", "flaky check --window 14 --threshold 3 --json"});
  command->callback([&session, options] { Check(session, *options); });
}

}  // namespace flaky
