// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "cli/commands.h"
#include "cli/doctor.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/output/escaped.h"
#include "cli/output/json_output.h"
#include "cli/output/table.h"
#include "settings/store_identity.h"

namespace flaky {
namespace {

struct Options {
  bool json = false;
};

std::string_view NameOf(Verdict verdict) {
  constexpr std::string_view kNames[] = {"fine", "warning", "problem"};
  return kNames[static_cast<size_t>(verdict)];
}

// Whatever goes wrong in one check is a finding, and the others are made all the same.
void Check(const std::string& name, Findings& findings, const std::function<void()>& check) {
  const auto failed = [&](const std::string& what, ExitCode code) {
    // An invalid setting is a finding of the settings; the store that it names cannot add anything.
    if (std::ranges::find(findings, what, &Finding::found) != findings.end()) return;
    findings.push_back({name, Verdict::kProblem, what, "fix this and run `flaky doctor` again", code});
  };
  try {
    check();
  } catch (const StoreError& error) {
    failed(error.what(), ExitCodeOf(error));
  } catch (const SettingError& error) {
    failed(error.what(), ExitCode::kUsage);
  } catch (const std::exception& error) {
    failed(std::string("check failed: ") + error.what(), ExitCode::kFindings);
  }
}

Findings MakeChecks(Session& session) {
  Findings findings;
  Check("settings", findings, [&] { CheckSettings(session, findings); });
  ApplySettings(session);
  const ResolvedSettings& resolved = session.resolved;
  std::optional<Location> history;
  Check("store", findings, [&] { history = resolved.history.Get(); });
  if (history) Check("store", findings, [&] { CheckStore(*history, "", findings); });
  std::optional<Location> second;
  Check("second store", findings, [&] { second = resolved.second.Get(); });
  if (second) Check("second store", findings, [&] { CheckStore(*second, "second ", findings); });
  Check("spool", findings, [&] { CheckSpool(resolved, history ? StoreIdentity(*history) : "", findings); });
  Check("program", findings, [&] { CheckProgram(session.settings, findings); });
  Check("watching", findings, [&] { CheckWatching(findings); });
  Check("git", findings, [&] { CheckGit(findings); });
  return findings;
}

// The finding to fix first comes first: a store may be unreachable because of a setting.
ExitCode CodeOf(const Findings& findings) {
  ExitCode code = ExitCode::kOk;
  for (const Finding& finding : findings) {
    if (finding.verdict == Verdict::kFine) continue;
    const ExitCode own = finding.verdict == Verdict::kProblem ? finding.code : ExitCode::kFindings;
    if (code == ExitCode::kOk || code == ExitCode::kFindings) code = own;
  }
  return code;
}

void PrintText(const Findings& findings, const Session& session) {
  constexpr size_t kVerdictWidth = 9;
  for (const Finding& finding : findings) {
    const std::string verdict(NameOf(finding.verdict));
    const Style style = finding.verdict == Verdict::kFine      ? Style::kGood
                        : finding.verdict == Verdict::kProblem ? Style::kBad
                                                               : Style::kPlain;
    session.out << Styled(verdict, style, session.color) << std::string(kVerdictWidth - verdict.size(), ' ')
                << Escaped(finding.check) << ": " << Escaped(finding.found) << '\n';
    if (!finding.advice.empty()) {
      session.out << std::string(kVerdictWidth, ' ') << "-> " << Escaped(finding.advice) << '\n';
    }
  }
  const auto count = [&](Verdict verdict) { return std::ranges::count(findings, verdict, &Finding::verdict); };
  const auto warnings = count(Verdict::kWarning), problems = count(Verdict::kProblem);
  session.out << (problems + warnings == 0 ? "no problems found"
                                           : std::to_string(problems) + (problems == 1 ? " problem, " : " problems, ") +
                                                 std::to_string(warnings) + (warnings == 1 ? " warning" : " warnings"))
              << '\n';
}

Json AsJson(const Findings& findings) {
  Json json = JsonOutput();
  Verdict worst = Verdict::kFine;
  for (const Finding& finding : findings) worst = std::max(worst, finding.verdict);
  json["verdict"] = NameOf(worst);
  json["findings"] = Json::array();
  for (const Finding& finding : findings) {
    json["findings"].push_back({{"check", finding.check},
                                {"verdict", NameOf(finding.verdict)},
                                {"found", finding.found},
                                {"advice", finding.advice.empty() ? Json() : Json(finding.advice)}});
  }
  return json;
}

void Examine(Session& session, const Options& options) {
  const Findings findings = MakeChecks(session);
  if (options.json) {
    PrintJson(session.out, AsJson(findings));
  } else {
    PrintText(findings, session);
  }
  session.exit_code = CodeOf(findings);
}

}  // namespace

void AddDoctor(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("doctor", "Check settings, store, spool and machine, and report what to fix");
  AddJsonFlag(*command, options->json);
  AddFooter(*command,
            {"Read-only: the command delivers, creates and changes nothing. Each finding is ok, a warning or a "
             "problem. Findings are listed in the order in which to fix them.",
             "Exit code: the code of the first problem that has its own (2 settings, 10 the store cannot be reached, "
             "11 it is locked, 12 permissions, 13 a newer schema), else 1 for any other problem or warning, else 0."},
            {"flaky doctor", "flaky doctor --json"});
  command->callback([&session, options] { Examine(session, *options); });
}

}  // namespace flaky
