// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <ostream>
#include <string>
#include <utility>

#include "cli/commands.h"
#include "cli/copy_into.h"
#include "cli/copy_report.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/output/escaped.h"
#include "cli/output/interrupt.h"
#include "cli/output/json_output.h"
#include "cli/output/numbers.h"
#include "cli/output/stopwatch.h"
#include "cli/output/terminal_progress.h"
#include "cli/verify_report.h"
#include "history/text.h"
#include "transfer/copy.h"
#include "transfer/verify.h"

// Tables from before, by hand: `flaky schema adopt` and `flaky schema drop-old`.
namespace flaky {
namespace {

struct AdoptOptions {
  std::string from_prefix;
  CopyIntoOptions into;
};

struct DropOptions {
  std::string from_prefix;
  bool yes = false;
  bool dry_run = false;
  bool json = false;
};

struct OldAndNew {
  Location from, to;
};

OldAndNew LocationsOf(const Session& session, const std::string& from_prefix) {
  CheckPrefix(from_prefix, "--from-prefix");
  Location to = session.resolved.history.Get();
  if (to.prefix == from_prefix) {
    throw SettingError("--from-prefix: '" + from_prefix + "' is the prefix of the tables in use, " + to.display_name +
                       ": give the prefix of the legacy tables");
  }
  return {WithPrefix(to, from_prefix), to};
}

void Adopt(Session& session, const AdoptOptions& options) {
  const auto [from, to] = LocationsOf(session, options.from_prefix);
  const InterruptGuard interrupt;
  const Stopwatch watch;
  const std::unique_ptr<Store> old_store = OpenStore(from, OpenMode::kRead, PatientRetrying(session));
  StoreSource source(*old_store);
  const CopySummary summary = CopyInto(session, source, to, options.into);
  PrintCopy(summary, {from.display_name, to.display_name, watch.Seconds(), options.into.dry_run, options.into.json},
            session.out);
  session.exit_code = CodeOf(summary);
}

// Throws CommandError unless the new tables hold all that the old ones hold, as `flaky verify --one-way` compares.
void DemandThatAllIsThere(Session& session, const OldAndNew& stores, const RowCounts& rows,
                          const DropOptions& options) {
  if (rows.orphans > 0) {
    const std::string& prefix = stores.from.prefix;
    throw CommandError(ExitCode::kDifferences, stores.from.display_name +
                                                   ": nothing was dropped: " + Counted(rows.orphans, "failure") +
                                                   (rows.orphans == 1 ? " belongs" : " belong") +
                                                   " to no run, so no copy has them; SELECT * FROM \"" + prefix +
                                                   "failures\" WHERE run_id NOT IN (SELECT run_id FROM \"" + prefix +
                                                   "runs\") shows them; remove them, or the tables, by hand");
  }
  const InterruptGuard interrupt;
  const Stopwatch watch;
  const std::unique_ptr<Store> source = OpenStore(stores.from, OpenMode::kRead, PatientRetrying(session));
  const std::unique_ptr<Store> target = OpenStore(stores.to, OpenMode::kRead, PatientRetrying(session));
  TerminalProgress progress(session.err, FormOf(session.terminal, options.json));
  VerifyOptions how;
  how.one_way = true;
  how.stop = InterruptGuard::Seen;
  VerifiedRuns runs(false, true);
  how.on_run = [&runs](const ComparedRun& run) { runs.Add(run); };
  const VerifySummary summary = Verify(*source, *target, how, progress);
  if (summary.stopped) throw CommandError(ExitCode::kInterrupted, "interrupted: nothing was dropped");
  if (summary.SameAs(how) && summary.source.totals.runs == rows.runs &&
      summary.source.totals.failures == rows.failures) {
    return;
  }
  const VerifyReport report{summary, how, runs, stores.from.display_name, stores.to.display_name, "", watch.Seconds()};
  if (options.json) {
    PrintVerifyJson(report, session.out);
  } else {
    PrintVerifyText(report, session.out, session.color);
  }
  throw CommandError(ExitCode::kDifferences, stores.from.display_name +
                                                 ": nothing was dropped, because the tables in use lack some rows; "
                                                 "`flaky schema adopt --from-prefix '" +
                                                 stores.from.prefix + "'` copies what is missing");
}

// Asks the user, if there is a terminal. Ctrl-C is an answer too, so nothing may catch it while this waits.
bool IsWanted(Session& session, const std::string& question) {
  if (!session.terminal || ::isatty(STDIN_FILENO) != 1) {
    throw CommandError(ExitCode::kUsage,
                       "drop-old: cannot ask for confirmation here; give --yes to drop the legacy tables");
  }
  session.err.Print(question + " Type yes to confirm:\n");
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "yes";
}

void DropOld(Session& session, const DropOptions& options) {
  const OldAndNew stores = LocationsOf(session, options.from_prefix);
  const LegacyTables old = LookAtTables(stores.from);
  DemandThatAllIsThere(session, stores, old.rows, options);

  const std::string what = Escaped(Join(old.names, ", ")) + " with " + Counted(old.rows.runs, "run") + " and " +
                           Counted(old.rows.failures, "failure");
  bool drop = !options.dry_run;
  if (drop && !options.yes) {
    drop =
        IsWanted(session, "All rows are in " + Escaped(stores.to.display_name) + ". Remove the tables " + what + "?");
  }
  if (drop && DropTables(stores.from, old.rows).rows != old.rows) {
    throw CommandError(ExitCode::kDifferences,
                       stores.from.display_name +
                           ": nothing was dropped, because rows were added in the meantime; `flaky schema adopt "
                           "--from-prefix '" +
                           stores.from.prefix + "'` copies them");
  }
  if (options.json) {
    Json json = JsonOutput();
    json["store"] = stores.from.display_name;
    json["tables"] = old.names;
    json["runs"] = old.rows.runs;
    json["parts"] = old.rows.parts;
    json["failures"] = old.rows.failures;
    json["dropped"] = drop;
    json["dry_run"] = options.dry_run;
    PrintJson(session.out, json);
    return;
  }
  session.out << Escaped(stores.to.display_name) << ": contains every row; "
              << (drop              ? "dropped "
                  : options.dry_run ? "would drop "
                                    : "left alone ")
              << what << '\n';
}

}  // namespace

void AddSchemaAdopt(CLI::App& schema, Session& session) {
  constexpr char kFromPrefix[] = "the prefix of the legacy tables' names; '' for runs and failures";

  auto adopt_options = std::make_shared<AdoptOptions>();
  CLI::App* adopt =
      schema.add_subcommand("adopt", "Import legacy tables, which have another prefix, into the tables in use");
  adopt->add_option("--from-prefix", adopt_options->from_prefix, kFromPrefix)->type_name("PREFIX")->required();
  AddCopyOptions(*adopt, adopt_options->into);
  AddJsonFlag(*adopt, adopt_options->into.json);
  AddFooter(*adopt,
            {"The legacy tables are those of this program or of the npm packages, in the store that FLAKY_TESTS_* "
             "name. They are only read. Running the command again copies the rows that were added since. Conversions "
             "and exit codes are those of `flaky migrate-store`."},
            {"flaky schema adopt --from-prefix ''",
             "FLAKY_TESTS_TABLE_PREFIX=team_ flaky schema adopt --from-prefix flaky_test_ --dry-run"});
  adopt->callback([&session, adopt_options] { Adopt(session, *adopt_options); });

  auto drop_options = std::make_shared<DropOptions>();
  CLI::App* drop =
      schema.add_subcommand("drop-old", "Drop legacy tables after every row was found in the tables in use");
  drop->add_option("--from-prefix", drop_options->from_prefix, kFromPrefix)->type_name("PREFIX")->required();
  drop->add_flag("--yes", drop_options->yes, "do not ask");
  drop->add_flag("--dry-run", drop_options->dry_run, "compare and report what would be dropped, change nothing");
  AddJsonFlag(*drop, drop_options->json);
  AddFooter(*drop,
            {"Compares every row first, as `flaky verify --one-way` does. If a row is missing or differs, or if rows "
             "are added during the comparison, nothing is dropped and the exit code is 5. On a terminal the command "
             "asks for confirmation; elsewhere it needs --yes."},
            {"flaky schema drop-old --from-prefix '' --dry-run",
             "FLAKY_TESTS_TABLE_PREFIX=team_ flaky schema drop-old --from-prefix flaky_test_ --yes"});
  drop->callback([&session, drop_options] { DropOld(session, *drop_options); });
}

}  // namespace flaky
