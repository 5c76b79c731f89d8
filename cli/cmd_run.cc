// SPDX-License-Identifier: MIT
#include <sys/utsname.h>
#include <sys/wait.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/child_command.h"
#include "cli/commands.h"
#include "cli/delivery_report.h"
#include "cli/help.h"
#include "cli/output/log.h"
#include "cli/run_environment.h"
#include "delivery/ctest_limits.h"
#include "delivery/open_for_writing.h"
#include "delivery/quiet_delivery.h"
#include "history/masked.h"
#include "settings/ownership.h"
#include "spool/command_journal.h"
#include "spool/death_watch.h"
#include "spool/stray_journals.h"

namespace flaky {
namespace {

constexpr char kNoTests[] =
    "0 tests were recorded: no test program under this command links flaky::recorder, or it did not get the "
    "environment "
    "that `flaky run` sets";

std::string SystemName() {
  utsname system{};
  if (uname(&system) != 0) return {};
  return std::string(system.sysname) + ' ' + system.release + ' ' + system.machine;
}

// How long the tests may go on ending when the command was interrupted.
constexpr std::chrono::seconds kPatience{1};

// Whatever goes wrong with the history is one line on standard error, and nothing to the command.
class Problems {
 public:
  explicit Problems(const Session& session) : session_(session) {}
  template <typename Work>
  void Guard(Work&& work) {
    try {
      work();
    } catch (const std::exception& error) {
      Add(error.what());
    }
  }
  void Add(std::optional<std::string> what) {
    if (!first_) first_ = std::move(what);
  }
  void Log() const {
    if (first_) flaky::Log(session_.log, LogLevel::kWarn, *first_);
  }

 private:
  const Session& session_;
  std::optional<std::string> first_;
};

// An invalid value changes nothing: the recorder reads it in the same way, and warns about it.
bool ValueOr(bool otherwise, const Settings& settings, const Setting<bool>& setting) {
  try {
    return settings.Get(setting);
  } catch (const SettingError&) {
    return otherwise;
  }
}

CommandFacts FactsOf(const Session& session, const std::vector<std::string>& arguments) {
  CommandFacts facts;
  if (const std::string id = session.settings.Get(setting::kRunId); !id.empty()) facts.run_id = id;
  facts.project = session.resolved.project.value_or("");
  facts.arguments = MaskedArguments(arguments);
  if (!ValueOr(true, session.settings, setting::kRecordArguments)) facts.arguments.resize(1);
  facts.cwd = std::filesystem::current_path().string();
  facts.system = SystemName();
  return facts;
}

// Returns whether the command ended in its own way. `asked`: the signal that asked this process to end, or 0.
RunEnd RunEndOf(const ProcessEnd& end, int asked) {
  if (end.succeeded()) return {RunEnd::Kind::kNormal, ""};
  if (asked != 0) return {RunEnd::Kind::kInterrupted, SignalName(asked)};
  if (end.signal && IsInterruption(SignalName(*end.signal))) {
    return {RunEnd::Kind::kInterrupted, SignalName(*end.signal)};
  }
  // `timeout` and shells report with such codes that their command was killed; the kind of end is then unknown.
  constexpr int kTimedOut = 124, kKilled = 128 + SIGKILL;
  const int code = end.exit_code.value_or(0);
  const bool was_killed =
      code == kTimedOut || code == kKilled || (code > 128 && IsInterruption(SignalName(code - 128)));
  return {was_killed || end.signal == SIGKILL ? RunEnd::Kind::kNotKnown : RunEnd::Kind::kNormal, ""};
}

// Takes over what programs recorded without the environment of this process: where they would find no home.
void TakeStraysOf(const Session& session, const std::string& run_id) {
  const std::string state = StateFolder([](const char*) -> const char* { return nullptr; });
  const std::string homeless = state + "/spool";
  const std::string& spool = session.resolved.spool.Get();
  // Test programs leave nothing in a folder of another user.
  if (homeless == spool || !IsOwnFolder(state)) return;
  TakeStrays(homeless, {ThisProcess(), run_id, session.resolved.project.value_or("")}, spool);
}

void RunRecorded(Session& session, const RunRequest& request) {
  const std::vector<std::string>& arguments = request.command;
  Problems problems(session);
  std::optional<CommandJournal> journal;
  std::vector<std::pair<std::string, std::string>> environment;
  if (request.settings_problem) {
    problems.Guard([&] { throw SettingError(*request.settings_problem); });
  } else if (!ValueOr(false, session.settings, setting::kDisable)) {
    problems.Guard([&] { journal.emplace(SpoolForWriting(session.resolved), FactsOf(session, arguments)); });
  }
  if (journal) problems.Guard([&] { environment = EnvironmentOfRun(session, journal->run_id()); });

  int status = 0;
  bool has_tests = true;
  try {
    CtestLimits limits;
    DeathWatch watch(
        journal ? session.resolved.spool.Get() : std::string(),
        [&](const Journal& header) { return journal->IsOfThisRun(header); }, limits);
    ChildCommand child(arguments, environment);
    status = child.Wait(watch);
    const RunEnd run_end = RunEndOf(ProcessEndOf(status), child.asked_to_end());
    watch.End(run_end, kPatience);
    if (journal) problems.Guard([&] { TakeStraysOf(session, journal->run_id()); });
    if (journal) problems.Guard([&] { has_tests = journal->End(child.pid(), ProcessEndOf(status), run_end); });
  } catch (const CommandError&) {
    if (journal) journal->Discard();
    throw;
  }
  if (journal) {
    problems.Guard([&] {
      const auto summary = DeliverQuietly(session.resolved, DeliveryFor(session));
      if (summary) problems.Add(OneLineOf(*summary));
    });
  }
  if (!has_tests) problems.Add(kNoTests);
  problems.Log();
  if (!WIFEXITED(status)) EndAs(status);
  session.exit_code = static_cast<ExitCode>(WEXITSTATUS(status));
}

}  // namespace

void AddRun(CLI::App& app, Session& session, const RunRequest& request) {
  CLI::App* command = app.add_subcommand("run", "Run a command, and record all its tests as one run");
  // Only for the help: RunProgram has removed the command, so that its options are not parsed as ours (cli/program.cc).
  command->add_option("COMMAND", "the command to run, with its arguments; `--` may come before it");
  AddFooter(
      *command,
      {"COMMAND gets this terminal, these streams, the signals and the environment. `flaky run` ends as COMMAND "
       "does: with its exit code, or by its signal; with 127 or 126 if COMMAND cannot be started. After that, "
       "everything that the test programs under COMMAND recorded is delivered as one run. They inherit spool, store, "
       "project and run id in absolute form, so a test may have its own HOME or working folder. The delivery "
       "takes at most FLAKY_TESTS_DELIVERY_TIMEOUT seconds; undelivered results stay in the spool. If COMMAND "
       "failed although no recorded test did, the run says so. If it succeeded and no test was recorded, there is no "
       "run. A problem with the history never changes how "
       "COMMAND ends: it is one line on standard error, and so is the message that no test was recorded."},
      {"flaky run -- ctest --test-dir build -j8",
       "FLAKY_TESTS_RUN_ID=$CI_PIPELINE_ID flaky run -- ./all_tests --gtest_shuffle"});
  command->callback([&session, &request] {
    if (request.command.empty()) {
      throw CommandError(ExitCode::kUsage, "run: missing command; for example: `flaky run -- ctest -j8`");
    }
    RunRecorded(session, request);
  });
}

}  // namespace flaky
