// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/run_filters.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/judged_history.h"
#include "cli/judged_tests.h"
#include "cli/options.h"
#include "cli/output/escaped.h"
#include "cli/output/json_output.h"
#include "cli/output/table.h"
#include "cli/verdict_json.h"
#include "report/verdict_text.h"

namespace flaky {
namespace {

struct Options {
  std::string pattern;
  JudgeRequest request;
  std::vector<std::string> verdicts;
  bool all = false;
  bool json = false;
};

// The tests that are to be shown.
struct Shown {
  std::vector<const TestVerdict*> failed;  // at least once, the most costly first
  std::vector<TestId> never_failed;        // by name
  std::vector<int64_t> executions;         // of all tests; empty unless tests that never failed are shown
};

bool IsWanted(const Options& options, const TestIdentity& test, Verdict verdict) {
  if (!options.pattern.empty() && !MatchesPattern(test.name, options.pattern)) return false;
  if (!options.verdicts.empty()) return std::ranges::find(options.verdicts, WordFor(verdict)) != options.verdicts.end();
  return options.all || verdict != Verdict::kHealthy;
}

Shown Select(const JudgedHistory& history, const Options& options) {
  Shown shown;
  std::vector<bool> has_failed(history.judge().tests().size());
  for (const TestVerdict& test : history.judgement().tests) {
    has_failed[test.test] = true;
    if (IsWanted(options, test.identity, test.verdict)) shown.failed.push_back(&test);
  }
  std::ranges::stable_sort(shown.failed, {},
                           [](const TestVerdict* test) { return std::pair(-test->cost, Rank(test->verdict)); });
  // That a test was executed rarely and never failed is of interest only to those who ask for all or for it.
  if (!options.all && options.verdicts.empty()) return shown;
  shown.executions = history.judge().CountExecutions();
  const auto tests = history.judge().tests();
  for (TestId id = 0; id < tests.size(); ++id) {
    if (has_failed[id] || shown.executions[id] == 0) continue;
    if (IsWanted(options, tests[id], history.VerdictOfHealthy(shown.executions[id]))) shown.never_failed.push_back(id);
  }
  std::ranges::sort(shown.never_failed, {}, [&](TestId id) { return tests[id]; });
  return shown;
}

void PrintTable(const Shown& shown, const JudgedHistory& history, const Session& session) {
  Table table = TableOfVerdicts();
  for (const TestVerdict* const test : shown.failed) AddRow(table, *test);
  for (const TestId id : shown.never_failed) {
    const Verdict verdict = history.VerdictOfHealthy(shown.executions[id]);
    table.Add({PhraseFor(verdict), NameWithProgram(history.judge().tests()[id]), OfText(0, shown.executions[id]), "",
               "", "", "", ""});
  }
  table.Print(session.out, session.color);
}

void PrintText(const Shown& shown, const JudgedHistory& history, const Options& options, const Session& session) {
  session.out << Escaped(HeadLine(history)) << '\n';
  if (shown.failed.empty() && shown.never_failed.empty()) {
    session.out << (options.verdicts.empty() ? "every test is healthy" : "no test has such a verdict")
                << (options.pattern.empty() ? "" : " among those that match") << '\n';
  } else {
    session.out << '\n';
    PrintTable(shown, history, session);
    PrintHints(shown.failed, session);
    PrintClusters(history, shown.failed, session);
  }
  PrintNotes(history, session);
}

void PrintAsJson(const Shown& shown, const JudgedHistory& history, const Session& session) {
  JsonPrinter printer(session.out);
  Json facts = Json::object();
  history.AddTo(facts);
  for (const auto& [name, value] : facts.items()) printer.Member(name, value);
  Json clusters = Json::array();
  for (const auto& cluster : history.judgement().clusters) {
    Json names = Json::array();
    for (const TestId test : cluster) names.push_back(history.judge().tests()[test].name);
    clusters.push_back(std::move(names));
  }
  printer.Member("clusters", clusters);
  printer.BeginList("tests");
  for (const TestVerdict* const test : shown.failed) printer.Element(VerdictJson(*test, history));
  for (const TestId id : shown.never_failed) {
    const int64_t executions = shown.executions[id];
    printer.Element(HealthyJson(id, history.VerdictOfHealthy(executions), executions, history));
  }
  printer.EndList();
}

void ListTests(Session& session, const Options& options) {
  const std::unique_ptr<Store> store = OpenHistory(session);
  const JudgedHistory history(session, *store, options.request);
  Json json = JsonOutput();
  history.AddTo(json);
  json["tests"] = Json::array();
  if (history.IsNothing()) {
    history.ReportNothing(session, *store, &json);
    if (options.json) PrintJson(session.out, json);
    return;
  }
  if (!options.pattern.empty() && ReportUnknownTest(session, history, options.pattern, json)) {
    if (options.json) PrintJson(session.out, json);
    return;
  }
  const Shown shown = Select(history, options);
  if (options.json) {
    PrintAsJson(shown, history, session);
  } else {
    PrintText(shown, history, options, session);
  }
}

}  // namespace

void AddTests(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("tests", "List the tests that are not healthy, the most costly first");
  command->add_option("GLOB", options->pattern, "only tests with such names, Suite.Test; `*` and `?` match several")
      ->type_name("");
  command->add_flag("--all", options->all, "also healthy tests");
  command->add_option("--verdict", options->verdicts, "only tests with this verdict; repeatable")
      ->check(CLI::IsMember(VerdictWords()))
      ->type_name("VERDICT")
      ->allow_extra_args(false);
  AddJudgeOptions(*command, session, options->request);
  AddJsonFlag(*command, options->json);
  AddFooter(*command,
            {"VERDICT is broken, flaky, newly_flaky, suspect, fixed, new or healthy. FAILED counts the parts in which "
             "the test failed and its executions. RATE is how often it fails on code that is not broken, with the "
             "interval that holds with 95 %. RED is how many runs failed because of this test alone.",
             kJudgeNote,
             "Exit code: 0, or 6 if there is no run to judge or no test of that name. docs/reference/exit-codes.md "
             "lists the others.",
             kFilterNote},
            {"flaky tests", "flaky tests 'Queue*' --branch main --verdict flaky --json"});
  command->callback([&session, options] { ListTests(session, *options); });
}

}  // namespace flaky
