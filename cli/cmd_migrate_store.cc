#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/copy_into.h"
#include "cli/copy_report.h"
#include "cli/help.h"
#include "cli/migrate_store.h"
#include "cli/options.h"
#include "cli/output/interrupt.h"
#include "cli/output/log.h"
#include "cli/output/stopwatch.h"
#include "delivery/delivery.h"
#include "settings/store_pair.h"
#include "transfer/copy.h"

namespace flaky {
namespace {

struct Options {
  std::vector<std::string> from;
  std::string to;
  MigrateOptions migrate;
};

const StoreOptions kStores{"migrate-store", "--from", "--to"};

std::vector<Location> Sources(const Session& session, const Options& options) {
  if (options.from.empty()) return {SourceOf(session.settings, kStores, "")};
  std::vector<Location> sources;
  for (const std::string& from : options.from) sources.push_back(SourceOf(session.settings, kStores, from));
  return sources;
}

// Two environments may call one project by two names: then everything is copied, and nothing of it is seen.
void PointOutProjects(const Session& session, Store& source, const Selection& selection) {
  const ProjectName here = CurrentProject(session.settings);
  RunFilter filter{.project = std::nullopt, .since = selection.since, .until = selection.until};
  if (!selection.projects.empty() || !selection.renamed.empty() || source.Count(filter).runs == 0) return;
  filter.project = here;
  if (source.Count(filter).runs > 0) return;
  const std::string phrase = ProjectPhrase(filter.project);
  Log(session, LogLevel::kWarn,
      source.name() + " has no run of " + phrase + ", and commands in this folder show only that project: use " +
          "--all or --project to see the other runs, or copy them with --map-project OLD=NEW");
}

CopySummary CopyFrom(Session& session, const Location& from, const Location& to, const MigrateOptions& options) {
  const std::unique_ptr<Store> old_store = OpenStore(from, OpenMode::kRead, PatientRetrying(session));
  const Selection selection = SelectionOf(options.selection);
  PointOutProjects(session, *old_store, selection);
  SelectedSource source(*old_store, selection);
  CopySummary account = CopyInto(session, source, to, options.into);
  if (source.unfinished() > 0) Log(session, LogLevel::kWarn, UnfinishedPhrase(source, from.display_name));
  return account;
}

}  // namespace

void CopyStores(Session& session, const std::vector<Location>& sources, const Location& to,
                const MigrateOptions& options) {
  if (!options.into.dry_run) DeliverBeforeReading(session);
  const InterruptGuard interrupt;
  for (const Location& from : sources) {
    const Stopwatch watch;
    const CopySummary account = CopyFrom(session, from, to, options);
    PrintCopy(account, {from.display_name, to.display_name, watch.Seconds(), options.into.dry_run, options.into.json},
              session.out);
    session.exit_code = std::max(session.exit_code, CodeOf(account));
    if (account.stopped) break;
  }
}

void AddMigrateOptions(CLI::App& command, MigrateOptions& options) {
  AddSelectionOptions(command, options.selection);
  AddCopyOptions(command, options.into);
  AddJsonFlag(command, options.into.json);
}

void AddMigrateStore(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("migrate-store", "Copy the whole history from one store into another and verify it");
  command
      ->add_option("--from", options->from,
                   "the old store, such as sqlite:PATH (default: FLAKY_TESTS_SOURCE_*); repeatable")
      ->allow_extra_args(false);
  command->add_option("--to", options->to, "the new store (default: FLAKY_TESTS_*)");
  AddMigrateOptions(*command, options->migrate);
  AddFooter(*command,
            {"The source is only read. Running the command again, even after it was interrupted or killed, copies what "
             "is missing and resends at most one batch; nothing is duplicated. Values that the new store cannot hold "
             "are converted as described in docs/reference/conversion.md, and every converted run is listed. Several "
             "sources are copied one after the other, each with its own summary.",
             "Exit code 3 if runs are in conflict and the target keeps its own."},
            {"FLAKY_TESTS_SOURCE_DB=old.db flaky migrate-store --to sqlite:new.db --dry-run",
             "flaky migrate-store --from sqlite:a.db --from sqlite:b.db --map-project =engine --to postgres://db/ci"});
  command->callback([&session, options] {
    const std::vector<Location> sources = Sources(session, *options);
    const Location to = TargetOf(session.settings, kStores, options->to);
    for (const Location& from : sources) RefuseSameStore(kStores, from, to);
    CopyStores(session, sources, to, options->migrate);
  });
}

}  // namespace flaky
