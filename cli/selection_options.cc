#include "cli/selection_options.h"

#include <algorithm>

#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/output/numbers.h"

namespace flaky {
namespace {

ProjectName NameOf(const std::string& text) { return text.empty() ? std::nullopt : ProjectName(text); }

}  // namespace

void AddSelectionOptions(CLI::App& command, SelectionOptions& options) {
  command
      .add_option("--project", options.projects, "only the runs of this project, '' for those without one; repeatable")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command
      .add_option("--map-project", options.renamed,
                  "copy the runs of project OLD as those of NEW, '' for none; repeatable")
      ->type_name("OLD=NEW")
      ->allow_extra_args(false);
  AddTimeOption(command, "--since", options.since, "only runs that started at this time or later");
  AddTimeOption(command, "--until", options.until, "only runs that started before this time");
  command.add_flag("--exclude-unfinished", options.finished_only, "skip the runs that have no end");
}

Selection SelectionOf(const SelectionOptions& options) {
  Selection selection{.projects = {},
                      .since = options.since,
                      .until = options.until,
                      .finished_only = options.finished_only,
                      .renamed = {}};
  for (const std::string& project : options.projects) {
    const ProjectName name = NameOf(project);
    // A project named twice is still taken once.
    if (std::ranges::find(selection.projects, name) == selection.projects.end()) selection.projects.push_back(name);
  }
  for (const std::string& mapping : options.renamed) {
    const size_t equals = mapping.find('=');
    if (equals == mapping.npos) {
      throw CommandError(ExitCode::kUsage, "--map-project: `" + mapping + "` is not of the form OLD=NEW");
    }
    if (!selection.renamed.emplace(NameOf(mapping.substr(0, equals)), NameOf(mapping.substr(equals + 1))).second) {
      throw CommandError(ExitCode::kUsage, "--map-project: `" + mapping.substr(0, equals) + "` is named twice");
    }
  }
  return selection;
}

std::string UnfinishedPhrase(const SelectedSource& source, const std::string& shown) {
  const int64_t left_out = source.unfinished();
  return WithThousands(left_out) + (left_out == 1 ? " run of " : " runs of ") + shown +
         (left_out == 1 ? " has" : " have") + " no end and " + (left_out == 1 ? "was" : "were") + " left out";
}

}  // namespace flaky
