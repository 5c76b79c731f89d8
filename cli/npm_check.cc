// SPDX-License-Identifier: MIT
#include "cli/npm_check.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/left_out.h"
#include "analysis/new_patterns.h"
#include "cli/early_run.h"
#include "cli/options.h"
#include "cli/output/escaped.h"
#include "cli/output/json_output.h"
#include "cli/output/table.h"
#include "cli/output/time_text.h"
#include "cli/run_query.h"
#include "history/text.h"

namespace flaky {
namespace {

// Runs that started so long before the days that matter may still have failures in them.
constexpr int64_t kLongestRunDays = 7;

std::string Days(int64_t days) { return std::to_string(days) + (days == 1 ? " day" : " days"); }

// Failures outside of tests, of one program or command.
struct OutsideTests {
  int64_t failures = 0;
  Timestamp last_failed_at;
};

// What is found in the history.
struct Findings {
  std::vector<NewPattern> patterns;
  std::map<std::string, OutsideTests> outside;  // in the window, by name
  RunTally tally;                               // of the runs that started within the two windows
};

// Sorts the failures of the two windows.
class Sorter {
 public:
  // `until`: later failures do not matter.
  Sorter(const NewPatternRule& rule, Timestamp until, Findings& findings)
      : finder_(rule),
        findings_(findings),
        until_(until),
        horizon_(rule.Horizon()),
        window_(rule.now - rule.window_days * kMicrosPerDay) {}

  NewPatternFinder& finder() { return finder_; }

  // Returns true if the failure is to be judged.
  bool IsOfTest(const FailureView& failure, bool outside) {
    if (failure.failed_at > until_ || failure.failed_at <= horizon_) return false;
    if (outside) {
      Count(failure, findings_.outside[std::string(failure.test_name)]);
    } else if (failure.test_name.find('.') == std::string_view::npos) {
      const auto [suite, is_new] = suites_.try_emplace(std::string(failure.test_name));
      if (is_new) suite->second.run_id = failure.run_id;
      Count(failure, suite->second.found);
    }
    return !outside;
  }

  // Moves the failures of test suites from the tests to those outside of them: a name without a dot is a suite's unless
  // another tool wrote it.
  void MoveSuites(Store& store) {
    std::map<std::string, std::vector<std::string>> names;  // by run
    for (const auto& [name, suite] : suites_) names[suite.run_id].push_back(name);
    for (const auto& [run_id, of_run] : names) {
      for (const RunRecord& record : store.Fetch(std::span(&run_id, 1))) {
        for (const std::string& name : of_run) {
          const auto is_suite = [&](const Failure& failure) {
            return failure.test_name == name && IsOutsideTests(failure);
          };
          if (std::ranges::none_of(record.failures, is_suite)) continue;
          findings_.outside[name] = suites_.at(name).found;
          std::erase_if(findings_.patterns, [&](const NewPattern& pattern) { return pattern.test_name == name; });
        }
      }
    }
    std::erase_if(findings_.outside, [](const auto& entry) { return entry.second.failures == 0; });
  }

 private:
  struct Suite {
    std::string run_id;  // one of its runs
    OutsideTests found;
  };

  // Counts what happened in the window.
  void Count(const FailureView& failure, OutsideTests& found) const {
    if (failure.failed_at <= window_) return;
    ++found.failures;
    found.last_failed_at = std::max(found.last_failed_at, failure.failed_at);
  }

  NewPatternFinder finder_;
  Findings& findings_;
  Timestamp until_, horizon_, window_;
  std::map<std::string, Suite> suites_;
};

// Reads the window without its texts, which are most of what a server would have to send, then the few texts that are
// shown.
void FindInAllRuns(Store& store, const NewPatternRule& rule, Timestamp until, const RunQuery& query,
                   Findings& findings) {
  Sorter sorter(rule, until, findings);
  FailureFilter window{.project = query.of_store.project, .after = rule.Horizon()};
  window.texts = false;
  store.VisitFailures(window, [&](const FailureView& failure) {
    if (sorter.IsOfTest(failure, IsOutsideTests(failure.test_file, failure.test_name))) {
      sorter.finder().AddWithoutTexts(failure);
    }
  });
  FailureFilter shown;
  shown.ids = sorter.finder().TextsWanted();
  if (!shown.ids.empty()) {
    store.VisitFailures(shown, [&](const FailureView& failure) { sorter.finder().AddTexts(failure); });
  }
  findings.patterns = sorter.finder().Find();
  sorter.MoveSuites(store);
}

void FindInSomeRuns(Store& store, const NewPatternRule& rule, Timestamp until, const RunQuery& query,
                    Findings& findings) {
  Sorter sorter(rule, until, findings);
  RunQuery earlier = query;
  earlier.of_store.since = rule.Horizon() - kLongestRunDays * kMicrosPerDay;
  VisitRuns(store, earlier, Direction::kOldestFirst, Detail::kFull, [&](const RunRecord& record) {
    VisitFailuresOf(record, [&](const FailureView& failure) {
      if (sorter.IsOfTest(failure, IsOutsideTests(failure.test_file, failure.test_name))) {
        sorter.finder().Add(failure);
      }
    });
    return true;
  });
  findings.patterns = sorter.finder().Find();
  sorter.MoveSuites(store);
}

RunTally TallyRuns(Store& store, const RunQuery& query) {
  RunTally tally;
  std::vector<std::string> without_status;
  VisitRuns(store, query, Direction::kOldestFirst, Detail::kRunsOnly, [&](const RunRecord& record) {
    const Account& account = record.run.account;
    const auto why = WhyLeftOut(account, /*interrupted=*/false);
    if (why == LeftOutReason::kEndedEarly) {
      without_status.push_back(record.run.run_id);
    } else {
      tally.Add(why);
    }
    return true;
  });
  const std::set<std::string> interrupted = InterruptedAmong(store, without_status);
  for (const std::string& id : without_status) {
    tally.Add(interrupted.contains(id) ? LeftOutReason::kInterrupted : LeftOutReason::kEndedEarly);
  }
  return tally;
}

void PrintText(const Findings& findings, const NewPatternRule& rule, const std::string& project,
               const Session& session) {
  std::ostream& out = session.out;
  const std::vector<NewPattern>& patterns = findings.patterns;
  out << (patterns.empty() ? "no" : std::to_string(patterns.size())) << " newly flaky "
      << (patterns.size() == 1 ? "test" : "tests") << " in " << Escaped(project) << ": " << rule.threshold
      << " or more failures in the last " << Days(rule.window_days) << ", none in the " << Days(rule.window_days)
      << " before\n";
  if (const std::string left_out = findings.tally.Phrase(); !left_out.empty()) out << left_out << '\n';
  for (const NewPattern& pattern : patterns) {
    out << '\n'
        << Styled(Escaped(pattern.test_name), Style::kBad, session.color) << "  " << Escaped(pattern.test_file)
        << "\n    " << pattern.recent << (pattern.recent == 1 ? " failure (" : " failures (")
        << Escaped(Join(pattern.kinds, ", ")) << "), last " << TimeText(pattern.last_failed_at) << " UTC\n";
    if (pattern.last_message) out << "    " << Escaped(FirstLine(*pattern.last_message)) << '\n';
  }
  if (findings.outside.empty()) return;
  out << "\nfailures outside of tests in the last " << Days(rule.window_days) << '\n';
  for (const auto& [name, found] : findings.outside) {
    out << "    " << Escaped(name) << ": " << found.failures << ", last " << TimeText(found.last_failed_at) << " UTC\n";
  }
}

Json AsJson(const Findings& findings, const NewPatternRule& rule, const std::optional<std::string>& project,
            const std::optional<EarlyRun>& early) {
  Json json = JsonOutput();
  json["project"] = project ? Json(*project) : Json();
  json["window_days"] = rule.window_days;
  json["threshold"] = rule.threshold;
  json["at"] = rule.now.ToString();
  json["runs"] = findings.tally.runs;
  json["left_out"]["runs"] = findings.tally.LeftOut();
  for (const auto& [reason, count] : findings.tally.left_out) json["left_out"][std::string(NameOf(reason))] = count;
  json["patterns"] = Json::array();
  for (const NewPattern& pattern : findings.patterns) {
    json["patterns"].push_back({{"test_file", pattern.test_file},
                                {"test_name", pattern.test_name},
                                {"recent", pattern.recent},
                                {"kinds", pattern.kinds},
                                {"last_message", pattern.last_message ? Json(*pattern.last_message) : Json()},
                                {"last_stack", pattern.last_stack ? Json(*pattern.last_stack) : Json()},
                                {"last_failed_at", pattern.last_failed_at.ToString()}});
  }
  json["outside_tests"] = Json::array();
  for (const auto& [name, found] : findings.outside) {
    json["outside_tests"].push_back(
        {{"name", name}, {"failures", found.failures}, {"last_failed_at", found.last_failed_at.ToString()}});
  }
  json["latest_ended_early"] = EarlyRunJson(early);
  return json;
}

}  // namespace

void CheckByNpmRule(Session& session, const NpmCheckOptions& options) {
  const NewPatternRule rule{.window_days = session.settings.Get(setting::kWindow),
                            .threshold = session.settings.Get(setting::kThreshold),
                            .now = options.at.value_or(Timestamp::Now())};
  const std::optional<std::string> project = session.resolved.project;
  const std::unique_ptr<Store> store = OpenHistory(session);
  const RunQuery query{
      .of_store = {.project = std::optional(project), .since = rule.Horizon() + 1, .until = rule.now + 1},
      .filters = options.filters,
      .period = "in the last " + Days(2 * rule.window_days)};
  const Timestamp until = options.at.value_or(Timestamp{Timestamp::kMax});
  Findings findings;
  if (options.filters.IsEmpty()) {
    FindInAllRuns(*store, rule, until, query, findings);
  } else {
    FindInSomeRuns(*store, rule, until, query, findings);
  }
  findings.tally = TallyRuns(*store, query);
  const std::optional<EarlyRun> early = LatestIfEarly(*store, query);
  Json json = AsJson(findings, rule, project, early);
  if (!findings.patterns.empty()) {
    session.exit_code = ExitCode::kFindings;
  } else if (early && early->IsUnknown()) {
    session.exit_code = ExitCode::kPartial;
  } else if (findings.tally.runs == 0) {
    ReportNothing(session, *store, query, &json);
  } else if (findings.tally.IsNothing()) {
    session.exit_code = ExitCode::kNothing;
  }
  if (options.json) {
    PrintJson(session.out, json);
  } else if (findings.tally.runs > 0 || !findings.patterns.empty()) {
    PrintText(findings, rule, ProjectPhrase(project), session);
    if (early) PrintEarlyRun(*early, session);
  }
}

}  // namespace flaky
