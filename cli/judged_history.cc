// SPDX-License-Identifier: MIT
#include "cli/judged_history.h"

#include <CLI/CLI.hpp>
#include <stdexcept>
#include <utility>

#include "cli/options.h"
#include "cli/output/log.h"
#include "cli/output/numbers.h"
#include "cli/output/time_text.h"

namespace flaky {
namespace {

constexpr int64_t kDays = 90;

// What the judge needs of each run. It does not need the texts of failures.
constexpr Detail kNeeded = Detail::kFull;

}  // namespace

Model ModelOf(const Settings& settings) {
  Model model;
  for (const auto& [name, number] : settings.JudgeNumbers()) {
    try {
      SetConstant(model, name, number.value);
    } catch (const std::invalid_argument& error) {
      throw SettingError(number.where + ": " + error.what());
    }
  }
  return model;
}

void AddJudgeOptions(CLI::App& command, Session& session, JudgeRequest& request) {
  AddProjectOptions(command, session, nullptr);
  AddTimeOption(command, "--at", request.at, "judge as of this time, without later parts (default: now)");
  AddTimeOption(command, "--since", request.since,
                "only runs that started at this time or later (default: 90 days before --at)");
  AddFilterOptions(command, request.filters);
}

JudgedHistory::JudgedHistory(const Session& session, Store& store, const JudgeRequest& request,
                             EvidenceReader::Observer observer)
    : model_(ModelOf(session.settings)),
      judge_(model_),
      reader_(judge_, std::move(observer)),
      at_(request.at.value_or(Timestamp::Now())),
      since_(request.since.value_or(DefaultSince(at_))),
      query_{.of_store = {.project = request.project.value_or(session.resolved.project),
                          .since = since_,
                          .until = at_ + 1},
             .filters = request.filters,
             .period = "since " + TimeText(since_) + " UTC"} {
  VisitRuns(store, query_, Direction::kOldestFirst, kNeeded, [&](const RunRecord& record) {
    reader_.Add(record);
    last_run_ = record.run.account.started_at;
    if (reader_.counts().runs == 1) first_run_ = last_run_;
    return true;
  });
  judgement_ = judge_.Decide({.at = at_, .default_branch = session.settings.Get(setting::kDefaultBranch)});
}

Timestamp JudgedHistory::DefaultSince(Timestamp at) { return at - kDays * kMicrosPerDay; }

Verdict JudgedHistory::VerdictOfHealthy(int64_t executions) const {
  return static_cast<double>(executions) < model_.new_below ? Verdict::kNew : Verdict::kHealthy;
}

void JudgedHistory::ReportNothing(Session& session, Store& store, Json* json) const {
  const EvidenceCounts& counts = reader_.counts();
  if (counts.runs == 0) return flaky::ReportNothing(session, store, query_, json);
  session.exit_code = ExitCode::kNothing;
  Log(session.log, LogLevel::kWarn,
      "none of " + Counted(counts.runs, "run") + " of " + ProjectPhrase(query_.of_store.project) + " " + query_.period +
          " executed a test");
}

std::vector<std::string> JudgedHistory::Notes() const {
  const EvidenceCounts& counts = reader_.counts();
  std::vector<std::string> notes;
  const auto note = [&](int64_t count, std::string_view one, std::string_view many) {
    if (count > 0) notes.push_back(WithThousands(count) + ' ' + std::string(count == 1 ? one : many));
  };
  note(counts.without_tests, "run without tests is not counted", "runs without tests are not counted");
  note(counts.without_roster, "run does not say which tests passed, so little can be said about its tests",
       "runs do not say which tests passed, so little can be said about their tests");
  note(counts.interrupted, "run is not complete and counts only for what it shows",
       "runs are not complete and count only for what they show");
  note(counts.outside_tests, "failure outside of tests is not judged", "failures outside of tests are not judged");
  note(static_cast<int64_t>(judgement_.infrastructure.size()),
       "part failed many tests at once because of its machine, so these failures count little",
       "parts failed many tests at once because of their machines, so these failures count little");
  return notes;
}

void JudgedHistory::AddTo(Json& json) const {
  const EvidenceCounts& counts = reader_.counts();
  const auto& project = query_.of_store.project;
  json["project"] = project && *project ? Json(**project) : Json();
  json["at"] = at_.ToString();
  json["since"] = since_.ToString();
  json["default_branch"] = judgement_.default_branch.empty() ? Json() : Json(judgement_.default_branch);
  json["runs"] = counts.runs;
  json["parts"] = judgement_.parts;
  json["tests_seen"] = judgement_.tests_seen;
  json["runs_without_tests"] = counts.without_tests;
  json["runs_without_roster"] = counts.without_roster;
  json["runs_not_complete"] = counts.interrupted;
  json["failures_outside_tests"] = counts.outside_tests;
  json["infrastructure"] = Json::array();
  for (const InfrastructurePart& part : judgement_.infrastructure) {
    json["infrastructure"].push_back({{"run_id", part.run_id},
                                      {"started_at", part.started_at.ToString()},
                                      {"variant", part.variant.empty() ? Json() : Json(part.variant)},
                                      {"host", part.host.empty() ? Json() : Json(part.host)},
                                      {"failed_tests", part.failed_tests},
                                      {"executed_tests", part.executed_tests},
                                      {"probability", part.probability}});
  }
}

}  // namespace flaky
