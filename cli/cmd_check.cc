#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "analysis/new_patterns.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/output/escaped.h"
#include "cli/output/json_output.h"
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
            const std::optional<std::string>& project) {
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
  return json;
}

void Check(Session& session, const Options& options) {
  const NewPatternRule rule{.window_days = session.settings.Get(setting::kWindow),
                            .threshold = session.settings.Get(setting::kThreshold),
                            .now = options.at.value_or(Timestamp::Now())};
  const std::optional<std::string> project = session.resolved.project;
  const std::unique_ptr<Store> store = OpenHistory(session);
  const std::vector<NewPattern> patterns = FindPatterns(*store, rule, options, project);
  if (options.json) {
    PrintJson(session.out, AsJson(patterns, rule, project));
  } else {
    PrintText(patterns, rule, ProjectPhrase(project), session);
  }
  if (!patterns.empty()) session.exit_code = ExitCode::kFindings;
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
             "Exit code: 0 no such test, 1 at least one. docs/reference/exit-codes.md lists the others."},
            {"flaky check", "flaky check --window 14 --threshold 3 --json"});
  command->callback([&session, options] { Check(session, *options); });
}

}  // namespace flaky
