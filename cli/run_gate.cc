// SPDX-License-Identifier: MIT
#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "analysis/left_out.h"
#include "cli/find_run.h"
#include "cli/gates.h"
#include "cli/judged_run.h"
#include "cli/output/early_end_text.h"
#include "cli/output/escaped.h"
#include "cli/output/json_output.h"
#include "cli/output/numbers.h"
#include "cli/output/run_text.h"
#include "cli/output/time_text.h"
#include "history/text.h"
#include "report/verdict_text.h"

namespace flaky {
namespace {

// How sure it must be that the code is not at fault.
constexpr double kExcused = 0.95;

bool IsExcused(const JudgedFailure& failure) { return failure.NotTheCode() >= kExcused; }

// What the gate sees in a run.
struct Findings {
  int64_t not_excused = 0;
  std::vector<const Failure*> outside;  // failures of no test
  // Returned to the caller as sentences, because no failure is recorded for them.
  std::vector<std::string> failed_otherwise;  // why the run failed all the same
  std::vector<std::string> unknown;           // what is not known about its end
};

Findings Examine(const RunRecord& record, const JudgedRun& judged) {
  Findings findings;
  findings.not_excused =
      std::ranges::count_if(judged.failures(), [](const JudgedFailure& failure) { return !IsExcused(failure); });
  int64_t not_judged = 0;
  for (const Failure& failure : record.failures) {
    if (IsOutsideTests(failure)) {
      findings.outside.push_back(&failure);
    } else if (judged.Of(failure) == nullptr) {
      ++not_judged;
    }
  }
  const Account& account = record.run.account;
  if (not_judged > 0) {
    findings.failed_otherwise.push_back(Counted(not_judged, "failure") + " could not be judged");
  }
  if (record.failures.empty() && (account.status == kFail || account.failed_tests.value_or(0) > 0)) {
    findings.failed_otherwise.push_back("the run failed, but no failure of it is recorded");
  }
  for (const EarlyEnd& end : EarlyEndsOf(record.parts)) {
    findings.unknown.push_back(EarlyEndName(end) + ": " + EarlyEndPhrase(end));
  }
  if (!account.ended_at) {
    findings.unknown.push_back("the run has no end: it is still running, or its process died");
  } else if (!account.status && findings.unknown.empty()) {
    findings.unknown.push_back("the run ended without a status");
  }
  return findings;
}

void PrintFailure(const JudgedFailure& failure, const JudgedRun& judged, const Session& session) {
  const bool excused = IsExcused(failure);
  session.out << '\n'
              << Styled(excused ? "excused" : "not excused", excused ? Style::kGood : Style::kBad, session.color)
              << "  " << Escaped(NameWithProgram(judged.history().judge().tests()[failure.test]));
  if (failure.part != nullptr && failure.part->variant) session.out << "  " << Escaped(*failure.part->variant);
  if (failure.part != nullptr && failure.part->shard) session.out << "  shard " << Escaped(*failure.part->shard);
  session.out << "\n    fault of " << failure.fault.Words() << '\n';
  if (failure.verdict != nullptr) {
    session.out << "    " << Escaped(HistoryText(*failure.verdict)) << '\n';
    if (!failure.verdict->reasons.empty()) {
      session.out << "    " << Join(failure.verdict->reasons, "; ", Words) << '\n';
    }
  }
  if (failure.failure->error_message) {
    session.out << "    " << Escaped(FirstLine(*failure.failure->error_message)) << '\n';
  }
}

void PrintText(const RunRecord& record, const JudgedRun& judged, const Findings& findings, const Session& session) {
  const auto failed = static_cast<int64_t>(judged.failures().size());
  session.out << "run " << Escaped(ShortIds({record.run}).front()) << " of " << TimeText(record.run.account.started_at)
              << " UTC";
  if (record.run.branch) session.out << ", branch " << Escaped(*record.run.branch);
  if (record.run.git_sha) session.out << ", commit " << Escaped(CommitText(record.run));
  session.out << ": ";
  if (failed == 0 && findings.outside.empty() && findings.failed_otherwise.empty()) {
    session.out << (findings.unknown.empty() ? "no test failed" : "no test is known to have failed") << '\n';
  } else {
    session.out << Counted(failed, "failure") << " of tests, " << findings.not_excused << " not excused\n";
  }
  for (const JudgedFailure& failure : judged.failures()) PrintFailure(failure, judged, session);
  for (const Failure* const failure : findings.outside) {
    session.out << '\n'
                << Styled("not excused", Style::kBad, session.color) << "  " << Escaped(failure->test_name)
                << "\n    a failure outside of tests is never excused\n";
    if (failure->error_message) session.out << "    " << Escaped(FirstLine(*failure->error_message)) << '\n';
  }
  for (const std::string& text : findings.failed_otherwise) {
    session.out << '\n' << Styled("not excused", Style::kBad, session.color) << "  " << Escaped(text) << '\n';
  }
  if (!findings.unknown.empty()) session.out << "\nnot known\n";
  for (const std::string& text : findings.unknown) session.out << "    " << Escaped(text) << '\n';
}

Json AsJson(const RunRecord& record, const JudgedRun& judged, const Findings& findings) {
  Json json = JsonOutput();
  json["rule"] = "judge";
  judged.history().AddTo(json);
  json["run"] = ToJson(record.run);
  json["excused_from"] = kExcused;
  json["not_excused"] = findings.not_excused + static_cast<int64_t>(findings.outside.size());
  json["failures"] = Json::array();
  for (const JudgedFailure& failure : judged.failures()) {
    Json one = ToJson(*failure.failure);
    one["variant"] = failure.part != nullptr && failure.part->variant ? Json(*failure.part->variant) : Json();
    one["excused"] = IsExcused(failure);
    one["fault"] = FaultJson(failure);
    json["failures"].push_back(std::move(one));
  }
  json["outside_tests"] = Json::array();
  for (const Failure* const failure : findings.outside) json["outside_tests"].push_back(ToJson(*failure));
  json["failed_otherwise"] = findings.failed_otherwise;
  json["not_known"] = findings.unknown;
  return json;
}

}  // namespace

void CheckRun(Session& session, const RunGate& gate) {
  const std::unique_ptr<Store> store = OpenHistory(session);
  const std::optional<RunRecord> record =
      ReadRun(*store, session,
              {.run = gate.run,
               .filters = gate.request.filters,
               .until = gate.request.at ? std::optional(*gate.request.at + 1) : std::nullopt,
               .json = gate.json});
  if (!record) return;
  if (gate.request.at && record->run.account.started_at > *gate.request.at) {
    throw CommandError(ExitCode::kUsage, "run " + record->run.run_id + " started after the time of --at");
  }
  const JudgedRun judged(session, *store, *record, gate.request);
  const Findings findings = Examine(*record, judged);
  if (findings.not_excused > 0 || !findings.outside.empty() || !findings.failed_otherwise.empty()) {
    session.exit_code = ExitCode::kFindings;
  } else if (!findings.unknown.empty()) {
    session.exit_code = ExitCode::kPartial;
  } else if (judged.failures().empty() && record->run.account.total_tests.value_or(0) == 0) {
    session.exit_code = ExitCode::kNothing;
  }
  if (gate.json) {
    PrintJson(session.out, AsJson(*record, judged, findings));
  } else {
    PrintText(*record, judged, findings, session);
  }
}

}  // namespace flaky
