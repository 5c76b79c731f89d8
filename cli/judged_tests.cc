// SPDX-License-Identifier: MIT
#include "cli/judged_tests.h"

#include <algorithm>
#include <array>
#include <map>
#include <ostream>
#include <set>

#include "analysis/run_filters.h"
#include "cli/options.h"
#include "cli/output/escaped.h"
#include "cli/output/log.h"
#include "cli/output/numbers.h"
#include "cli/output/run_text.h"
#include "history/text.h"
#include "report/verdict_text.h"
#include "settings/suggestions.h"

namespace flaky {
namespace {

constexpr size_t kMostSuggestions = 5;
constexpr size_t kMostInCluster = 8;
constexpr size_t kShortCommit = 8;

// The worst first.
constexpr std::array kVerdicts = {Verdict::kBroken, Verdict::kFlaky, Verdict::kNewlyFlaky, Verdict::kSuspect,
                                  Verdict::kFixed,  Verdict::kNew,   Verdict::kHealthy};

// Returns the tests that the user may have meant: those whose names contain the text, else the nearest one.
std::vector<std::string> Suggestions(const std::string& pattern, std::span<const TestIdentity> tests) {
  std::set<std::string> names;
  for (const TestIdentity& test : tests) names.insert(test.name);
  std::vector<std::string> found;
  for (const std::string& name : names) {
    if (MatchesPattern(name, "*" + pattern + "*")) found.push_back(name);
  }
  if (found.empty()) {
    const std::vector<std::string> all(names.begin(), names.end());
    if (std::string near = Suggestion(pattern, all); !near.empty()) found.push_back(std::move(near));
  }
  return found;
}

}  // namespace

std::vector<std::string> VerdictWords() {
  std::vector<std::string> words;
  for (const Verdict verdict : kVerdicts) words.emplace_back(WordFor(verdict));
  return words;
}

std::string HeadLine(const JudgedHistory& history) {
  const Judgement& judgement = history.judgement();
  std::string text = ProjectPhrase(history.query().of_store.project) + ": " + Counted(judgement.runs, "run") +
                     " from " + history.first_run().Date() + " to " + history.last_run().Date() + ", " +
                     Counted(judgement.tests_seen, "test");
  std::map<Verdict, int64_t> counts;
  for (const TestVerdict& test : judgement.tests) ++counts[test.verdict];
  std::string separator = ": ";
  for (const Verdict verdict : kVerdicts) {
    if (counts[verdict] == 0 || verdict == Verdict::kHealthy || verdict == Verdict::kNew) continue;
    text += separator + WithThousands(counts[verdict]) + ' ' + PhraseFor(verdict);
    separator = ", ";
  }
  return text;
}

Style StyleOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kBroken:
    case Verdict::kFlaky:
    case Verdict::kNewlyFlaky:
      return Style::kBad;
    case Verdict::kFixed:
      return Style::kGood;
    default:
      return Style::kPlain;
  }
}

size_t Rank(Verdict verdict) { return static_cast<size_t>(std::ranges::find(kVerdicts, verdict) - kVerdicts.begin()); }

Table TableOfVerdicts() {
  return Table({{.title = "VERDICT"},
                {.title = "TEST", .max_width = 60},
                {.title = "FAILED", .align = Align::kRight},
                {.title = "RATE", .align = Align::kRight},
                {.title = "95 % SURE", .align = Align::kRight},
                {.title = "RED", .align = Align::kRight},
                {.title = "LAST"},
                {.title = "SINCE"}});
}

void AddRow(Table& table, const TestVerdict& test) {
  std::string since;
  if (test.since) since = test.since->Date() + ' ' + test.since_commit.substr(0, kShortCommit);
  table.Add({Cell(PhraseFor(test.verdict), StyleOf(test.verdict)), NameWithProgram(test.identity),
             OfText(test.failures, test.executions), test.rate ? PercentText(test.rate->median) : "",
             test.rate ? IntervalText(*test.rate) : "", test.cost > 0 ? std::to_string(test.cost) : "",
             test.last_failure ? test.last_failure->Date() : "", since});
}

void PrintHints(std::span<const TestVerdict* const> tests, const Session& session) {
  Table table({{.title = "TEST", .max_width = 60}, {.title = "FAILS"}});
  bool any = false;
  for (const TestVerdict* const test : tests) {
    for (const Hint& hint : test->hints) {
      table.Add({NameWithProgram(test->identity), HintText(hint)});
      any = true;
    }
  }
  if (!any) return;
  session.out << '\n';
  table.Print(session.out, session.color);
}

void PrintClusters(const JudgedHistory& history, std::span<const TestVerdict* const> tests, const Session& session) {
  std::set<uint32_t> shown;
  for (const TestVerdict* const test : tests) {
    if (test->cluster != kNoIndex) shown.insert(test->cluster);
  }
  for (const uint32_t number : shown) {
    const std::vector<TestId>& cluster = history.judgement().clusters[number];
    const size_t named = std::min(cluster.size(), kMostInCluster);
    session.out << "\nfail together, so they probably have one cause: ";
    for (size_t i = 0; i < named; ++i) {
      session.out << (i > 0 ? ", " : "") << Escaped(NameWithProgram(history.judge().tests()[cluster[i]]));
    }
    if (named < cluster.size()) session.out << " and " << cluster.size() - named << " more";
    session.out << '\n';
  }
}

void PrintNotes(const JudgedHistory& history, const Session& session) {
  const std::vector<std::string> notes = history.Notes();
  if (!notes.empty()) session.out << '\n';
  for (const std::string& note : notes) session.out << Escaped(note) << '\n';
}

std::string DidYouMeanTest(const JudgedHistory& history, const std::string& name) {
  std::vector<std::string> near = Suggestions(name, history.judge().tests());
  if (near.empty()) return {};
  const size_t more = near.size() - std::min(near.size(), kMostSuggestions);
  near.resize(near.size() - more);
  std::string text = "; did you mean " + Join(near, " or ", [](const std::string& test) { return "`" + test + "`"; });
  if (more > 0) text += " or one of " + std::to_string(more) + " more";
  return text + "?";
}

bool ReportUnknownTest(Session& session, const JudgedHistory& history, const std::string& pattern, Json& json) {
  const auto tests = history.judge().tests();
  if (std::ranges::any_of(tests, [&](const TestIdentity& test) { return MatchesPattern(test.name, pattern); })) {
    return false;
  }
  session.exit_code = ExitCode::kNothing;
  json["suggestions"] = Suggestions(pattern, tests);
  Log(session.log, LogLevel::kWarn,
      "unknown test `" + pattern + "`: no test of that name was executed in " +
          Counted(history.judgement().runs, "run") + " " + history.query().period + DidYouMeanTest(history, pattern));
  return true;
}

}  // namespace flaky
