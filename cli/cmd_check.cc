// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/gates.h"
#include "cli/help.h"
#include "cli/judged_history.h"
#include "cli/npm_check.h"
#include "cli/options.h"

namespace flaky {
namespace {

constexpr std::string_view kNone = "none";
constexpr std::string_view kVerdictsThatFail = "broken, flaky, newly_flaky or suspect";

struct Options {
  std::string run;
  std::string rule = "judge";
  std::string fail_on = "newly_flaky,broken";
  JudgeRequest request;
  bool json = false;
};

// Returns the words of a list such as "newly_flaky,broken".
std::vector<std::string> FailOn(const std::string& list) {
  std::vector<std::string> words;
  std::istringstream stream(list);
  for (std::string word; std::getline(stream, word, ',');) {
    if (word != kNone && word != "broken" && word != "flaky" && word != "newly_flaky" && word != "suspect") {
      throw CommandError(ExitCode::kUsage, "--fail-on: invalid verdict `" + word + "`; expected none, or a list of " +
                                               std::string(kVerdictsThatFail));
    }
    words.push_back(std::move(word));
  }
  if (words.empty() || (words.size() > 1 && std::ranges::find(words, kNone) != words.end())) {
    throw CommandError(ExitCode::kUsage,
                       "--fail-on: invalid list; expected none, or a list of " + std::string(kVerdictsThatFail));
  }
  if (words.front() == kNone) words.clear();
  return words;
}

// Refuses options of one rule, or of one gate, that the other does not have.
void RefuseOthers(const CLI::App& command, const std::vector<std::string>& options, const std::string& why) {
  for (const std::string& option : options) {
    if (command.count(option) > 0) throw CommandError(ExitCode::kUsage, option + " " + why);
  }
}

void Check(Session& session, const CLI::App& command, const Options& options) {
  if (options.rule == "npm") {
    RefuseOthers(command, {"RUN"}, "does not belong to --rule npm, which looks at all runs");
    RefuseOthers(command, {"--since", "--fail-on"}, "does not belong to --rule npm; --window and --threshold do");
    CheckByNpmRule(session, {.filters = options.request.filters, .json = options.json, .at = options.request.at});
    return;
  }
  RefuseOthers(command, {"--window", "--threshold"}, "belongs to --rule npm; for the judge, --since selects the runs");
  if (command.count("RUN") == 0) {
    CheckHistory(session, {.request = options.request, .fail_on = FailOn(options.fail_on), .json = options.json});
    return;
  }
  RefuseOthers(command, {"--fail-on"}, "does not belong to the gate over one run");
  CheckRun(session, {.request = options.request, .run = options.run, .json = options.json});
}

}  // namespace

void AddCheck(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("check", "Fail if a test has become flaky or is broken, or excuse a run");
  command->add_option("RUN", options->run, "judge this run only: the beginning of its id, or `latest`")->type_name("");
  command
      ->add_option("--fail-on", options->fail_on,
                   "verdicts that fail the check, separated by commas, or none: " + std::string(kVerdictsThatFail))
      ->type_name("VERDICTS")
      ->capture_default_str();
  AddJudgeOptions(*command, session, options->request);
  command
      ->add_option("--rule", options->rule,
                   "judge, or npm: the rule of the npm packages, which only looks for newly flaky tests")
      ->check(CLI::IsMember({"judge", "npm"}))
      ->type_name("RULE")
      ->capture_default_str();
  AddSettingOption(*command, session, "--window", "DAYS", setting::kWindow);
  AddSettingOption(*command, session, "--threshold", "COUNT", setting::kThreshold);
  AddJsonFlag(*command, options->json);
  AddFooter(
      *command,
      {"Without RUN, looks at the whole history and lists the tests whose verdict --fail-on names, if they failed on "
       "the default branch. `flaky` includes newly_flaky.",
       "With RUN, prints who was at fault for each failure of the run: the code, the test or the machine. A failure is "
       "excused if the code is not at fault with at least 95 %. Failures outside of tests are never excused.",
       "With --rule npm, reports a test if it failed at least --threshold times within the last --window days and did "
       "not fail in the --window days before. Runs that did not end, and runs with 10 or more failed tests, do not "
       "count. How many are left out of the runs of both windows, and why, is said.",
       "Exit code: 0 nothing was found, or each failure of the run is excused; 1 something was found; 3 nothing was "
       "found, but what ended the run, or the latest one, is unknown; 6 there was no run to judge. "
       "docs/reference/exit-codes.md lists the others.",
       kJudgeNote, kFilterNote},
      {"flaky check", "flaky check latest"});
  command->callback([&session, command, options] { Check(session, *command, *options); });
}

}  // namespace flaky
