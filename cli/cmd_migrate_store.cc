// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/migrate_store.h"

namespace flaky {
namespace {

struct Options {
  std::vector<std::string> from;
  std::string to;
  MigrateOptions migrate;
};

const StoreOptions kStores{"migrate-store", "--from", "--to"};

std::vector<Location> Sources(const Session& session, const Options& options) {
  if (options.from.empty()) return {SourceOf(session.resolved, kStores, "")};
  std::vector<Location> sources;
  for (const std::string& from : options.from) sources.push_back(SourceOf(session.resolved, kStores, from));
  return sources;
}

}  // namespace

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
  AddFooter(
      *command,
      {"The source is only read. Running the command again, even after it was interrupted or killed, copies what "
       "is missing and resends at most one batch; nothing is duplicated. Values that the new store cannot hold "
       "are converted as described in docs/reference/conversion.md, and every converted run is listed. Columns and "
       "tables that flaky did not make are not copied; they are named. Several sources are "
       "copied one after the other, each with its own summary.",
       "Exit code 3 if runs are in conflict and the target keeps its own."},
      {"FLAKY_TESTS_SOURCE_DB=old.db flaky migrate-store --to sqlite:new.db --dry-run",
       "flaky migrate-store --from sqlite:a.db --from sqlite:b.db --map-project =engine --to postgres://db/ci"});
  command->callback([&session, options] {
    const std::vector<Location> sources = Sources(session, *options);
    const Location to = TargetOf(session.resolved, kStores, options->to);
    for (const Location& from : sources) RefuseSameStore(kStores, from, to);
    CopyStores(session, sources, to, options->migrate);
  });
}

}  // namespace flaky
