#ifndef FLAKY_CLI_SELECTION_OPTIONS_H_
#define FLAKY_CLI_SELECTION_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "transfer/selection.h"

namespace flaky {

// The options that select the runs to copy.
struct SelectionOptions {
  std::vector<std::string> projects;  // empty text: no project
  std::vector<std::string> renamed;   // "old=new"
  std::optional<Timestamp> since;
  std::optional<Timestamp> until;
  bool finished_only = false;
};

// Adds `--project`, `--map-project`, `--since`, `--until`, `--exclude-unfinished`. `options` must outlive the command.
void AddSelectionOptions(CLI::App& command, SelectionOptions& options);

// Returns the selection. Throws CommandError (kUsage) for a mapping that is not OLD=NEW, or that names an old project
// twice.
Selection SelectionOf(const SelectionOptions& options);

// Returns "3 runs of sqlite:a.db have no end and were left out".
std::string UnfinishedPhrase(const SelectedSource& source, const std::string& shown);

}  // namespace flaky

#endif  // FLAKY_CLI_SELECTION_OPTIONS_H_
