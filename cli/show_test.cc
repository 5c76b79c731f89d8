// SPDX-License-Identifier: MIT
#include "cli/show.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/run_filters.h"
#include "analysis/test_history.h"
#include "cli/judged_tests.h"
#include "cli/output/escaped.h"
#include "cli/output/json_output.h"
#include "cli/output/numbers.h"
#include "cli/output/run_text.h"
#include "cli/output/time_text.h"
#include "cli/repeat_command.h"
#include "cli/verdict_json.h"
#include "history/text.h"
#include "report/verdict_text.h"

namespace flaky {
namespace {

constexpr size_t kMostTests = 10;
constexpr size_t kStrip = 60;
constexpr size_t kMostMessages = 5;
constexpr size_t kMostLines = 6;
constexpr size_t kMostPreceding = 3;
constexpr size_t kMostConditions = 8;  // of one kind
constexpr size_t kTitle = 14;

// Reads a history and collects what it shows of the tests that match a pattern.
class Collector {
 public:
  explicit Collector(std::string pattern) : pattern_(std::move(pattern)) {}

  void Add(const PartReading& part) {
    for (const auto tests = part.judge.tests(); seen_ < tests.size(); ++seen_) {
      if (tests_.size() <= kMostTests && MatchesPattern(tests[seen_].name, pattern_)) {
        tests_.emplace_back(static_cast<TestId>(seen_), TestHistory());
      }
    }
    for (auto& [test, history] : tests_) history.Add(part, test);
  }

  std::vector<std::pair<TestId, TestHistory>>& tests() { return tests_; }

 private:
  std::string pattern_;
  size_t seen_ = 0;
  std::vector<std::pair<TestId, TestHistory>> tests_;
};

// A test with everything that is shown of it.
struct Shown {
  const JudgedHistory& judged;
  const TestHistory& history;
  TestId test = 0;
  const TestVerdict* verdict = nullptr;  // null: it never failed
  int64_t executions = 0;
  std::string last_good;  // commit; empty if it is not known

  Verdict Word() const { return verdict == nullptr ? judged.VerdictOfHealthy(executions) : verdict->verdict; }
  const TestIdentity& identity() const { return judged.judge().tests()[test]; }
};

void Line(std::string_view title, const std::string& text, std::ostream& out) {
  if (!text.empty()) out << title << std::string(kTitle - title.size(), ' ') << Escaped(text) << '\n';
}

void PrintHead(const Shown& shown, const Session& session) {
  std::ostream& out = session.out;
  Line("test", shown.identity().name, out);
  Line("program", shown.identity().program, out);
  Line("file", std::string(shown.judged.reader().FileOf(shown.test)), out);
  out << "verdict" << std::string(kTitle - 7, ' ')
      << Styled(PhraseFor(shown.Word()), StyleOf(shown.Word()), session.color) << '\n';
  if (shown.verdict == nullptr) {
    Line("failed", OfText(0, shown.executions) + " executions", out);
    return;
  }
  const TestVerdict& verdict = *shown.verdict;
  Line("probability",
       "flaky now " + ProbabilityText(verdict.p_flaky) + ", broken now " + ProbabilityText(verdict.p_broken), out);
  if (verdict.rate) {
    Line("rate", PercentText(verdict.rate->median) + ", with 95 % from " + IntervalText(*verdict.rate), out);
  }
  Line("failed",
       "in " + std::to_string(verdict.failures) + (verdict.failures == 1 ? " part" : " parts") + ", " +
           std::to_string(verdict.executions) + " executions",
       out);
  if (verdict.last_failure) Line("last failure", TimeText(*verdict.last_failure) + " UTC", out);
  if (verdict.since) Line("since", TimeText(*verdict.since) + " UTC", out);
  Line("first bad", verdict.since_commit, out);
  Line("last good", shown.last_good, out);
  if (verdict.cost > 0)
    Line("cost",
         std::to_string(verdict.cost) + (verdict.cost == 1 ? " run" : " runs") + " failed because of this test alone",
         out);
  if (verdict.passes_missing_until_fixed > 0) {
    Line("fixed", "after " + std::to_string(verdict.passes_missing_until_fixed) + " more passes in a row", out);
  }
}

void PrintReasons(const TestVerdict& verdict, std::ostream& out) {
  if (!verdict.reasons.empty()) out << "\nwhy\n";
  for (const Reason& reason : verdict.reasons) out << "  " << Words(reason) << '\n';
  for (const Hint& hint : verdict.hints) out << "  fails " << Escaped(HintText(hint)) << '\n';
}

void PrintStrip(const TestHistory& history, std::ostream& out) {
  const auto& outcomes = history.outcomes();
  const size_t count = std::min(outcomes.size(), kStrip);
  out << "\nlast " << count << (count == 1 ? " part" : " parts") << ", the newest on the right\n  ";
  for (size_t i = outcomes.size() - count; i < outcomes.size(); ++i) out << (outcomes[i].failed ? 'x' : '.');
  out << '\n';
}

void PrintConditions(const TestHistory& history, const Session& session) {
  Table table({{.title = "BY"},
               {.title = "VALUE", .max_width = 40},
               {.title = "FAILED", .align = Align::kRight},
               {.title = "SHARE", .align = Align::kRight}});
  std::vector<std::pair<std::pair<std::string, std::string>, ConditionCounts>> sorted(history.conditions().begin(),
                                                                                      history.conditions().end());
  const auto share = [](const ConditionCounts& counts) {
    return static_cast<double>(counts.failed) / static_cast<double>(std::max<int64_t>(counts.executions, 1));
  };
  std::ranges::stable_sort(sorted, [&](const auto& a, const auto& b) {
    if (a.first.first != b.first.first) return a.first.first > b.first.first;
    return share(a.second) > share(b.second);
  });
  std::string kind;
  size_t shown = 0;
  size_t left_out = 0;
  for (const auto& [condition, counts] : sorted) {
    shown = condition.first == kind ? shown + 1 : 1;
    kind = condition.first;
    if (shown > kMostConditions) {
      ++left_out;
      continue;
    }
    table.Add({kind, condition.second.empty() ? "-" : condition.second, OfText(counts.failed, counts.executions),
               PercentText(share(counts))});
  }
  session.out << '\n';
  table.Print(session.out, session.color);
  if (left_out > 0) session.out << "and " << left_out << " more, in which it failed less often\n";
}

void PrintMessages(const TestHistory& history, std::ostream& out) {
  const auto messages = history.Messages();
  if (messages.empty()) return;
  out << "\nmessages (" << messages.size() << (history.other_messages() > 0 ? " and more" : "") << ")\n";
  for (size_t i = 0; i < std::min(messages.size(), kMostMessages); ++i) {
    const MessageCounts& counts = messages[i];
    out << "  " << counts.failures << (counts.failures == 1 ? " time" : " times") << ", last " << TimeText(counts.last)
        << " UTC\n";
    std::string_view rest = counts.text;
    for (size_t line = 0; line < kMostLines && !rest.empty(); ++line) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      out << "    " << Escaped(rest.substr(0, end)) << '\n';
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (!rest.empty()) out << "    …\n";
  }
  if (messages.size() > kMostMessages) out << "  and " << messages.size() - kMostMessages << " more\n";
}

void PrintPreceding(const TestHistory& history, std::ostream& out) {
  const auto preceding = history.Preceding();
  if (preceding.empty()) return;
  out << "\nran before it when it failed\n";
  for (size_t i = 0; i < std::min(preceding.size(), kMostPreceding); ++i) {
    out << "  " << preceding[i].second << (preceding[i].second == 1 ? " time  " : " times  ")
        << Escaped(preceding[i].first) << '\n';
  }
  if (preceding.size() > kMostPreceding) {
    out << "  and " << Counted(static_cast<int64_t>(preceding.size() - kMostPreceding), "other test") << '\n';
  }
}

void PrintExplanation(const Shown& shown, const Session& session) {
  session.out << "\ncode versions on which it failed\n";
  Table table({{.title = "FIRST FAILURE"},
               {.title = "CODE"},
               {.title = "COMMIT"},
               {.title = "BRANCH", .max_width = 24},
               {.title = "FAILED", .align = Align::kRight},
               {.title = "CODE", .align = Align::kRight},
               {.title = "TEST", .align = Align::kRight},
               {.title = "MACHINE", .align = Align::kRight},
               {.title = "FLAKY THEN", .align = Align::kRight}});
  for (const CodeEvidence& code : shown.judged.judge().Explain(shown.test)) {
    table.Add({TimeText(code.first_seen), code.code.substr(0, 8), code.commit.substr(0, 8) + (code.dirty ? "+" : ""),
               code.branch.empty() ? "-" : code.branch, OfText(code.failures, code.executions),
               ProbabilityText(code.p_code), ProbabilityText(code.p_test), ProbabilityText(code.p_machine),
               ProbabilityText(code.p_flaky)});
  }
  table.Print(session.out, session.color);
}

void PrintText(const Shown& shown, bool explain, const Session& session) {
  std::ostream& out = session.out;
  PrintHead(shown, session);
  if (shown.verdict != nullptr) PrintReasons(*shown.verdict, out);
  PrintStrip(shown.history, out);
  PrintConditions(shown.history, session);
  PrintMessages(shown.history, out);
  PrintPreceding(shown.history, out);
  if (shown.verdict != nullptr) {
    out << "\nrepeat it\n";
    for (const std::string& line : RepeatCommands(shown.identity(), *shown.verdict, shown.history)) {
      out << "  " << Escaped(line) << '\n';
    }
    if (explain) PrintExplanation(shown, session);
  }
  PrintNotes(shown.judged, session);
}

Json AsJson(const Shown& shown, bool explain) {
  Json json = shown.verdict == nullptr ? HealthyJson(shown.test, shown.Word(), shown.executions, shown.judged)
                                       : VerdictJson(*shown.verdict, shown.judged);
  json["last_good_commit"] = shown.last_good.empty() ? Json() : Json(shown.last_good);
  json["last_outcomes"] = Json::array();
  const auto& outcomes = shown.history.outcomes();
  for (size_t i = outcomes.size() - std::min(outcomes.size(), kStrip); i < outcomes.size(); ++i) {
    const PartOutcome& outcome = outcomes[i];
    json["last_outcomes"].push_back({{"started_at", outcome.at.ToString()},
                                     {"commit", shown.history.Text(outcome.commit)},
                                     {"branch", shown.history.Text(outcome.branch)},
                                     {"dirty", outcome.dirty},
                                     {"failed", outcome.failed}});
  }
  json["by"] = Json::array();
  for (const auto& [condition, counts] : shown.history.conditions()) {
    json["by"].push_back({{"kind", condition.first},
                          {"value", condition.second},
                          {"failed", counts.failed},
                          {"executions", counts.executions}});
  }
  json["messages"] = Json::array();
  for (const MessageCounts& counts : shown.history.Messages()) {
    json["messages"].push_back(
        {{"text", counts.text}, {"failures", counts.failures}, {"last", counts.last.ToString()}});
  }
  json["preceding_tests"] = Json::array();
  for (const auto& [test, count] : shown.history.Preceding()) {
    json["preceding_tests"].push_back({{"test_name", test}, {"failures", count}});
  }
  json["signals"] = shown.history.signals();
  json["repeat"] = shown.verdict == nullptr ? std::vector<std::string>()
                                            : RepeatCommands(shown.identity(), *shown.verdict, shown.history);
  if (explain) {
    json["code_versions"] = Json::array();
    for (const CodeEvidence& code : shown.judged.judge().Explain(shown.test)) {
      json["code_versions"].push_back(EvidenceJson(code));
    }
  }
  return json;
}

// Throws unless the tests are those of one name.
void CheckOneName(const std::vector<std::pair<TestId, TestHistory>>& tests, const JudgedHistory& judged,
                  const std::string& pattern) {
  std::vector<std::string> names;
  for (const auto& [test, history] : tests) names.push_back(judged.judge().tests()[test].name);
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (names.size() < 2) return;
  const bool more = tests.size() > kMostTests;
  throw CommandError(ExitCode::kUsage, "`" + pattern + "` matches several tests: " + Join(names, ", ") +
                                           (more ? ", …" : "") + " (flaky tests '" + pattern + "' --all lists them)");
}

}  // namespace

void ShowTest(Session& session, Store& store, const TestChoice& choice) {
  Collector collector(choice.test);
  const JudgedHistory judged(session, store, choice.request, [&](const PartReading& part) { collector.Add(part); });
  Json json = JsonOutput();
  judged.AddTo(json);
  json["tests"] = Json::array();
  if (collector.tests().empty()) {
    // An argument that is nothing at all is a mistake of the user, and no question about a test.
    throw CommandError(ExitCode::kUsage, "`" + choice.test +
                                             "` is neither a run, nor a commit, nor a test that was "
                                             "executed in " +
                                             store.name() + " " + judged.query().period +
                                             DidYouMeanTest(judged, choice.test) +
                                             " (flaky runs --all lists the runs, flaky tests --all the tests)");
  }
  CheckOneName(collector.tests(), judged, choice.test);
  const std::vector<int64_t> executions = judged.judge().CountExecutions();
  bool is_first = true;
  for (auto& [test, history] : collector.tests()) {
    history.Sort();
    const auto verdict = std::ranges::find(judged.judgement().tests, test, &TestVerdict::test);
    Shown shown{.judged = judged, .history = history, .test = test, .executions = executions[test], .last_good = {}};
    if (verdict != judged.judgement().tests.end()) shown.verdict = &*verdict;
    if (shown.verdict != nullptr && shown.verdict->since) {
      shown.last_good =
          history.LastGoodCommit(*shown.verdict->since, judged.judgement().default_branch, shown.verdict->since_commit);
    }
    if (choice.json) {
      json["tests"].push_back(AsJson(shown, choice.explain));
    } else {
      if (!is_first) session.out << '\n';
      PrintText(shown, choice.explain, session);
    }
    is_first = false;
  }
  if (choice.json) PrintJson(session.out, json);
}

}  // namespace flaky
