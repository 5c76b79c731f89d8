// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/migrate_store.h"
#include "cli/options.h"
#include "cli/output/escaped.h"
#include "cli/output/json_output.h"
#include "cli/output/log.h"
#include "cli/output/numbers.h"
#include "cli/verify_stores.h"
#include "spool/dual_queue.h"

namespace flaky {
namespace {

struct StatusOptions {
  bool json = false;
};

// The second store, for a command that is nothing without one.
Location SecondStore(const Session& session, const std::string& command) {
  if (std::optional<Location> second = session.resolved.second.Get()) return *second;
  throw SettingError(command +
                     ": no second store is configured; set FLAKY_TESTS_DUAL_STORE and its companions to turn dual "
                     "write on");
}

struct DualState {
  bool on = false;
  std::string first;
  std::optional<std::string> second;
  std::optional<std::string> problem;  // with the settings
  WaitingSummary waiting;
  std::optional<DualTrouble> trouble;
};

DualState StateOf(const Session& session) {
  const std::filesystem::path spool = session.resolved.spool.Get();
  const std::string& queue = session.resolved.dual_queue;
  DualState state;
  state.on = session.resolved.dual_is_on;
  state.first = session.resolved.history.Get().display_name;
  try {
    if (const auto second = session.resolved.second.Get()) state.second = second->display_name;
  } catch (const std::exception& error) {
    state.problem = error.what();
  }
  state.waiting = SummaryOfWaiting(spool, queue);
  state.trouble = LastDualTrouble(spool, queue);
  return state;
}

Json AsJson(const DualState& state) {
  Json json = JsonOutput();
  json["on"] = state.on;
  json["first"] = state.first;
  json["second"] = state.second ? Json(*state.second) : Json();
  json["problem"] = state.problem ? Json(*state.problem) : Json();
  json["waiting"] = state.waiting.runs;
  json["since"] = state.waiting.since ? Json(state.waiting.since->ToString()) : Json();
  json["unreadable"] = state.waiting.unreadable;
  json["last_error"] = state.trouble ? Json(state.trouble->what) : Json();
  json["last_error_at"] = state.trouble ? Json(state.trouble->at.ToString()) : Json();
  return json;
}

void PrintState(const DualState& state, std::ostream& out) {
  out << "dual write  " << (state.on ? "on" : "off") << '\n';
  out << "first       " << Escaped(state.first) << '\n';
  if (state.second) out << "second      " << Escaped(*state.second) << '\n';
  const WaitingSummary& waiting = state.waiting;
  if (!waiting.since) {
    out << "waiting     none\n";
  } else {
    out << "waiting     " << Counted(waiting.runs, "run") << ", since " << waiting.since->ToString()
        << (state.on ? "" : "; they will be sent to the next second store that is configured") << '\n';
  }
  if (waiting.unreadable > 0) out << "unreadable  " << Counted(waiting.unreadable, "file") << " of the spool\n";
  if (state.trouble) {
    out << "last error  " << Escaped(state.trouble->what) << " (" << state.trouble->at.ToString() << ")\n";
  }
}

void Status(Session& session, const StatusOptions& options) {
  const DualState state = StateOf(session);
  if (options.json) {
    PrintJson(session.out, AsJson(state));
  } else {
    PrintState(state, session.out);
  }
  if (state.problem) {
    Log(session.log, LogLevel::kError, *state.problem);
    session.exit_code = ExitCode::kUsage;
  } else if (state.waiting.since) {
    session.exit_code = ExitCode::kFindings;
  }
}

}  // namespace

void AddDual(CLI::App& app, Session& session) {
  CLI::App* dual = app.add_subcommand("dual", "Manage a second store that also receives every delivery");
  dual->require_subcommand(1);
  AddFooter(*dual,
            {"Set FLAKY_TESTS_DUAL_STORE and its companions to name the second store; this turns dual write on. A "
             "problem with the second store never fails or delays a delivery to the first: its records wait in the "
             "spool and are sent later. docs/guides/switch-without-a-gap.md shows how to change stores this way."},
            {"flaky dual status", "flaky dual backfill --dry-run"});

  auto status_options = std::make_shared<StatusOptions>();
  CLI::App* status = dual->add_subcommand("status", "Show how many runs are waiting for the second store, and why");
  AddJsonFlag(*status, status_options->json);
  AddFooter(*status,
            {"Reads only the spool: it asks no store and delivers nothing.",
             "Exit code: 0 no run is waiting, 1 runs are waiting for the second store, 2 the second store's settings "
             "are invalid."},
            {"flaky dual status", "flaky deliver && flaky dual status --json"});
  status->callback([&session, status_options] { Status(session, *status_options); });

  auto backfill_options = std::make_shared<MigrateOptions>();
  CLI::App* backfill =
      dual->add_subcommand("backfill", "Copy the history from before dual write into the second store and verify it");
  AddMigrateOptions(*backfill, *backfill_options);
  AddFooter(*backfill,
            {"Works like `flaky migrate-store`, from the first store to the second. It may run while tests are "
             "recorded, and more than once."},
            {"flaky dual backfill", "flaky dual backfill --on-conflict replace --json"});
  backfill->callback([&session, backfill_options] {
    const Location second = SecondStore(session, "dual backfill");
    CopyStores(session, {session.resolved.history.Get()}, second, *backfill_options);
  });

  auto verify_options = std::make_shared<ComparisonOptions>();
  CLI::App* verify = dual->add_subcommand("verify", "Compare the first store with the second and list the differences");
  AddComparisonOptions(*verify, *verify_options);
  AddFooter(*verify,
            {"Works like `flaky verify`, with the first store as the source and the second as the target. It delivers "
             "nothing: records that are still waiting for the second store are reported as differences."},
            {"flaky dual verify", "flaky dual verify --one-way --sample 5%"});
  verify->callback([&session, verify_options] {
    const Location second = SecondStore(session, "dual verify");
    CompareStores(session, session.resolved.history.Get(), second, *verify_options);
  });
}

}  // namespace flaky
