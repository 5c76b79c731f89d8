// SPDX-License-Identifier: MIT
#include "cli/judged_run.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "analysis/left_out.h"

namespace flaky {
namespace {

// What tells the tests that failed in a run apart: part, program, file and name.
using Place = std::tuple<std::string, std::string, std::string, std::string>;

Place PlaceOf(const Failure& failure) {
  return {failure.part_id.value_or(""), failure.program.value_or(""), failure.test_file, failure.test_name};
}

}  // namespace

JudgedRun::JudgedRun(const Session& session, Store& store, const RunRecord& record, JudgeRequest request) {
  const Timestamp started_at = record.run.account.started_at;
  request.filters = {};
  request.project = record.run.project;
  if (!request.at) request.at = std::max(Timestamp::Now(), started_at);
  if (!request.since) request.since = std::min(JudgedHistory::DefaultSince(*request.at), started_at);
  std::map<Place, TestId> tests;
  std::optional<RunIndex> run;
  history_.emplace(session, store, request, [&](const PartReading& reading) {
    if (reading.record.run.run_id != record.run.run_id) return;
    run = reading.evidence.run;
    for (const FailureOfTest& failure : reading.failures) tests.emplace(PlaceOf(*failure.failure), failure.test);
  });
  if (!run) return;
  std::map<std::pair<std::string, TestId>, FaultText> faults;
  for (const Attribution& fault : history_->judge().Attribute(*run)) {
    faults[{fault.part_id, fault.test}] = {fault.p_code, fault.p_test, fault.p_machine};
  }
  std::map<TestId, const TestVerdict*> verdicts;
  for (const TestVerdict& verdict : history_->judgement().tests) verdicts[verdict.test] = &verdict;
  for (const Failure& failure : record.failures) {
    const auto test = tests.find(PlaceOf(failure));
    if (IsOutsideTests(failure) || test == tests.end()) continue;
    const auto part = std::ranges::find(record.parts, failure.part_id.value_or(""), &Part::part_id);
    auto fault = faults.extract({failure.part_id.value_or(""), test->second});
    if (fault.empty() && part != record.parts.end() && part->rank) {
      // The ranks of an MPI program were judged together, as one part.
      const auto of_test = [&](const auto& entry) { return entry.first.second == test->second; };
      if (const auto same = std::ranges::find_if(faults, of_test); same != faults.end()) fault = faults.extract(same);
    }
    if (fault.empty()) continue;  // an earlier failure of the test in the part has it
    failures_.push_back({.test = test->second,
                         .part = part == record.parts.end() ? nullptr : &*part,
                         .failure = &failure,
                         .fault = fault.mapped(),
                         .verdict = verdicts[test->second]});
  }
}

const JudgedFailure* JudgedRun::Of(const Failure& failure) const {
  const auto found = std::ranges::find_if(
      failures_, [&](const JudgedFailure& judged) { return PlaceOf(*judged.failure) == PlaceOf(failure); });
  return found == failures_.end() ? nullptr : &*found;
}

std::string HistoryText(const TestVerdict& verdict) {
  std::string text = PhraseFor(verdict.verdict) + ", failed " + OfText(verdict.failures, verdict.executions);
  if (verdict.rate) text += ", " + PercentText(verdict.rate->median) + " (" + IntervalText(*verdict.rate) + ")";
  if (verdict.since) text += ", since " + verdict.since->Date();
  if (!verdict.since_commit.empty()) text += " " + verdict.since_commit.substr(0, 8);
  return text;
}

Json FaultJson(const JudgedFailure& failure) {
  Json json = {
      {"p_code", failure.fault.p_code}, {"p_test", failure.fault.p_test}, {"p_machine", failure.fault.p_machine}};
  json["verdict"] = failure.verdict == nullptr ? Json() : Json(WordFor(failure.verdict->verdict));
  json["test_failures"] = failure.verdict == nullptr ? Json() : Json(failure.verdict->failures);
  json["test_executions"] = failure.verdict == nullptr ? Json() : Json(failure.verdict->executions);
  return json;
}

}  // namespace flaky
