// SPDX-License-Identifier: MIT
#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "cli/early_run.h"
#include "cli/gates.h"
#include "cli/judged_tests.h"
#include "cli/options.h"
#include "cli/output/escaped.h"
#include "cli/output/json_output.h"
#include "cli/verdict_json.h"
#include "history/text.h"
#include "report/verdict_text.h"

namespace flaky {
namespace {

// Returns true if the test failed by itself on a code version of the default branch: what is flaky on another branch
// only is that branch's matter.
bool FailedOnDefaultBranch(const TestVerdict& test, const JudgedHistory& history) {
  constexpr double kByItself = 0.5;
  const std::string& branch = history.judgement().default_branch;
  return std::ranges::any_of(history.judge().Explain(test.test), [&](const CodeEvidence& code) {
    return !code.dirty && code.branch == branch && code.p_test >= kByItself;
  });
}

bool IsFinding(const TestVerdict& test, const JudgedHistory& history, const std::vector<std::string>& fail_on) {
  const auto is_named = [&](Verdict verdict) { return std::ranges::find(fail_on, WordFor(verdict)) != fail_on.end(); };
  if (test.verdict == Verdict::kBroken) return is_named(Verdict::kBroken);
  const bool named = is_named(test.verdict) || (test.verdict == Verdict::kNewlyFlaky && is_named(Verdict::kFlaky));
  return named && FailedOnDefaultBranch(test, history);
}

void PrintText(const std::vector<const TestVerdict*>& findings, const JudgedHistory& history, const HistoryGate& gate,
               const Session& session) {
  session.out << Escaped(HeadLine(history)) << '\n';
  const std::string branch = history.judgement().default_branch;
  const std::string what = Join(gate.fail_on, " or ", [](std::string word) {
    std::ranges::replace(word, '_', ' ');
    return word;
  });
  if (gate.fail_on.empty()) {
    session.out << "nothing fails this check (--fail-on none)\n";
  } else {
    session.out << (findings.empty()
                        ? "no test is "
                        : std::to_string(findings.size()) + (findings.size() == 1 ? " test is " : " tests are "))
                << what << (branch.empty() ? "" : " on branch " + Escaped(branch)) << '\n';
  }
  if (!findings.empty()) {
    session.out << '\n';
    Table table = TableOfVerdicts();
    for (const TestVerdict* const test : findings) AddRow(table, *test);
    table.Print(session.out, session.color);
    PrintHints(findings, session);
  }
  PrintNotes(history, session);
}

}  // namespace

void CheckHistory(Session& session, const HistoryGate& gate) {
  const std::unique_ptr<Store> store = OpenHistory(session);
  const JudgedHistory history(session, *store, gate.request);
  Json json = JsonOutput();
  json["rule"] = "judge";
  history.AddTo(json);
  json["fail_on"] = gate.fail_on;
  json["findings"] = Json::array();
  const std::optional<EarlyRun> early = LatestIfEarly(*store, history.query());
  json["latest_ended_early"] = EarlyRunJson(early);
  std::vector<const TestVerdict*> findings;
  for (const TestVerdict& test : history.judgement().tests) {
    if (!IsFinding(test, history, gate.fail_on)) continue;
    findings.push_back(&test);
    json["findings"].push_back(VerdictJson(test, history));
  }
  if (!findings.empty()) {
    session.exit_code = ExitCode::kFindings;
  } else if (early && early->IsUnknown() && !gate.fail_on.empty()) {
    session.exit_code = ExitCode::kPartial;
  } else if (history.IsNothing()) {
    history.ReportNothing(session, *store, &json);
  }
  if (gate.json) {
    PrintJson(session.out, json);
  } else if (!history.IsNothing()) {
    PrintText(findings, history, gate, session);
  }
  if (!gate.json && early) PrintEarlyRun(*early, session);
}

}  // namespace flaky
