// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/judged_run.h"
#include "cli/judged_tests.h"
#include "cli/output/escaped.h"
#include "cli/output/json_output.h"
#include "cli/output/numbers.h"
#include "cli/output/run_text.h"
#include "cli/output/table.h"
#include "cli/output/time_text.h"
#include "cli/show.h"
#include "report/verdict_text.h"

namespace flaky {
namespace {

// A test that failed on the commit, or on edits of it.
struct FailedTest {
  int64_t parts = 0;  // in which it failed
  FaultText fault;    // sums of the parts, until they are divided
  std::set<std::string> variants;
};

struct CommitFacts {
  std::vector<Run> runs;
  std::vector<RunIndex> numbers;                  // of the runs that were judged
  std::map<std::string, std::string> variant_of;  // by part
  std::set<std::string> commits;                  // that begin like this
};

std::map<TestId, FailedTest> FailuresOf(const CommitFacts& facts, const JudgedHistory& judged) {
  std::map<TestId, FailedTest> failed;
  for (const RunIndex run : facts.numbers) {
    for (const Attribution& attribution : judged.judge().Attribute(run)) {
      FailedTest& test = failed[attribution.test];
      ++test.parts;
      test.fault.p_code += attribution.p_code;
      test.fault.p_test += attribution.p_test;
      test.fault.p_machine += attribution.p_machine;
      const auto variant = facts.variant_of.find(attribution.part_id);
      if (variant != facts.variant_of.end()) test.variants.insert(variant->second);
    }
  }
  for (auto& [id, test] : failed) {
    const auto parts = static_cast<double>(test.parts);
    test.fault = {test.fault.p_code / parts, test.fault.p_test / parts, test.fault.p_machine / parts};
  }
  return failed;
}

std::string ListOf(const std::set<std::string>& words) {
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "" : ", ") + (word.empty() ? "-" : word);
  return list;
}

void PrintText(const CommitFacts& facts, const std::map<TestId, FailedTest>& failed, const JudgedHistory& judged,
               const Session& session) {
  session.out << "commit      " << Escaped(*facts.commits.begin()) << '\n';
  std::set<std::string> branches;
  for (const Run& run : facts.runs) branches.insert(run.branch.value_or("-"));
  session.out << "branches    " << Escaped(ListOf(branches)) << "\n\n";
  Table runs({{.title = "RUN"},
              {.title = "STARTED (UTC)"},
              {.title = "BRANCH", .max_width = 30},
              {.title = "STATUS"},
              {.title = "TESTS", .align = Align::kRight},
              {.title = "FAILED", .align = Align::kRight}});
  const std::vector<std::string> ids = ShortIds(facts.runs);
  for (size_t i = 0; i < facts.runs.size(); ++i) {
    const Run& run = facts.runs[i];
    runs.Add({ids[i], TimeText(run.account.started_at),
              run.branch.value_or("-") + (run.git_dirty.value_or(false) ? " (edited)" : ""), StatusCell(run.account),
              TestsText(run.account), CountText(run.account.failed_tests)});
  }
  runs.Print(session.out, session.color);
  session.out << '\n';
  if (failed.empty()) {
    session.out << "no test failed on this commit\n";
  } else {
    Table table({{.title = "TEST", .max_width = 60},
                 {.title = "FAILED IN", .max_width = 20},
                 {.title = "FAULT OF"},
                 {.title = "THE TEST IS"}});
    for (const auto& [test, found] : failed) {
      const auto& verdicts = judged.judgement().tests;
      const auto verdict = std::ranges::find(verdicts, test, &TestVerdict::test);
      table.Add({NameWithProgram(judged.judge().tests()[test]),
                 Counted(found.parts, "part") + (found.variants.empty() ? "" : ": " + ListOf(found.variants)),
                 found.fault.Words(), verdict == verdicts.end() ? "" : HistoryText(*verdict)});
    }
    table.Print(session.out, session.color);
  }
  PrintNotes(judged, session);
}

Json AsJson(const CommitFacts& facts, const std::map<TestId, FailedTest>& failed, const JudgedHistory& judged) {
  Json json = JsonOutput();
  judged.AddTo(json);
  json["commit"] = *facts.commits.begin();
  json["runs_of_commit"] = Json::array();
  for (const Run& run : facts.runs) json["runs_of_commit"].push_back(ToJson(run));
  json["failures"] = Json::array();
  for (const auto& [test, found] : failed) {
    const auto& verdicts = judged.judgement().tests;
    const auto verdict = std::ranges::find(verdicts, test, &TestVerdict::test);
    Json one = {{"test_name", judged.judge().tests()[test].name},
                {"parts", found.parts},
                {"variants", found.variants},
                {"p_code", found.fault.p_code},
                {"p_test", found.fault.p_test},
                {"p_machine", found.fault.p_machine}};
    one["verdict"] = verdict == verdicts.end() ? Json() : Json(WordFor(verdict->verdict));
    json["failures"].push_back(std::move(one));
  }
  return json;
}

}  // namespace

bool ShowCommit(Session& session, Store& store, const CommitChoice& choice) {
  CommitFacts facts;
  const JudgedHistory judged(session, store, choice.request, [&](const PartReading& part) {
    const Run& run = part.record.run;
    if (!run.git_sha || !run.git_sha->starts_with(choice.commit)) return;
    facts.commits.insert(*run.git_sha);
    if (facts.numbers.empty() || facts.numbers.back() != part.evidence.run) {
      facts.numbers.push_back(part.evidence.run);
      facts.runs.push_back(run);
    }
    if (part.part != nullptr) facts.variant_of[part.part->part_id] = part.part->variant.value_or("");
  });
  if (facts.commits.empty()) return false;
  if (facts.commits.size() > 1) {
    throw CommandError(ExitCode::kUsage, "`" + choice.commit + "` matches several commits: " + ListOf(facts.commits));
  }
  const std::map<TestId, FailedTest> failed = FailuresOf(facts, judged);
  if (choice.json) {
    PrintJson(session.out, AsJson(facts, failed, judged));
  } else {
    PrintText(facts, failed, judged, session);
  }
  return true;
}

}  // namespace flaky
