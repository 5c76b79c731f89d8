#ifndef FLAKY_CLI_MIGRATE_STORE_H_
#define FLAKY_CLI_MIGRATE_STORE_H_

#include <CLI/CLI.hpp>
#include <vector>

#include "cli/copy_into.h"
#include "cli/selection_options.h"
#include "cli/session.h"

// The copy of `flaky migrate-store`, for every command that copies one store into another.
namespace flaky {

struct MigrateOptions {
  SelectionOptions selection;
  CopyIntoOptions into;
};

// Adds the options of a copy, and --json. `options` must outlive the command.
void AddMigrateOptions(CLI::App& command, MigrateOptions& options);

// Delivers pending results, copies each source into the store at `to`, and prints the summaries. Sets the session's
// exit code. Precondition: no source is the target. Throws StoreError and CommandError.
void CopyStores(Session& session, const std::vector<Location>& sources, const Location& to,
                const MigrateOptions& options);

}  // namespace flaky

#endif  // FLAKY_CLI_MIGRATE_STORE_H_
