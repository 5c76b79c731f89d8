// SPDX-License-Identifier: MIT
#include "cli/options.h"

#include "cli/output/time_text.h"
#include "history/masked.h"

namespace flaky {

void AddSettingOption(CLI::App& command, Session& session, const std::string& option, std::string_view type_name,
                      const SettingInfo& info) {
  std::string description = std::string(info.meaning) + " (" + std::string(info.name);
  if (!info.default_value.empty() && !info.default_value.starts_with('[')) {
    description += ", default " + std::string(info.default_value);
  }
  description += ")";
  command
      .add_option_function<std::string>(
          option,
          [&session, &info, option](const std::string& text) {
            // An empty flag is an error even if an empty text elsewhere means that the setting is not given.
            if (text.empty() && info.kind != SettingKind::kText) throw CLI::ValidationError(option, "is empty");
            session.settings.Set(info, {text, Origin::kFlag, option});
          },
          description)
      ->type_name(std::string(type_name));
}

void AddJsonFlag(CLI::App& command, bool& json) { command.add_flag("--json", json, "print JSON"); }

void AddProjectOptions(CLI::App& command, Session& session, bool* all) {
  AddSettingOption(command, session, "--project", "NAME", setting::kProject);
  if (all != nullptr) command.add_flag("--all", *all, "every project")->excludes("--project");
}

void AddTimeOption(CLI::App& command, const std::string& option, std::optional<Timestamp>& moment,
                   const std::string& description) {
  command
      .add_option_function<std::string>(
          option,
          [&moment, option](const std::string& text) {
            moment = ParseTime(text, Timestamp::Now());
            if (!moment) {
              throw CLI::ValidationError(option, "`" + text +
                                                     "`: invalid time; expected a date (2026-03-01), a time "
                                                     "(2026-03-01T12:30:00Z) or an age (36h, 7d, 2w)");
            }
          },
          description)
      ->type_name("TIME");
}

void AddFilterOptions(CLI::App& command, RunFilters& filters) {
  for (const FilterInfo& filter : FilterTable()) {
    CLI::Option* option =
        command.add_option("--" + std::string(filter.name), filters.Wanted(filter), std::string(filter.meaning))
            ->type_name(std::string(filter.value))
            ->allow_extra_args(false);
    if (filter.value == "yes|no") option->check(CLI::IsMember({"yes", "no"}));
  }
}

void RefuseAddressAsFile(const std::string& command, const std::string& file) {
  if (!LooksLikeAddress(file)) return;
  throw SettingError(command +
                     ": expected the path of a file, not a URL, a connection string or a secret; --from and "
                     "--to name stores");
}

std::optional<std::optional<std::string>> ProjectFilter(const Session& session, bool all) {
  if (all) return std::nullopt;
  return std::make_optional(session.resolved.project);
}

std::string ProjectPhrase(const std::optional<std::optional<std::string>>& project) {
  if (!project) return "all projects";
  return *project ? "project " + **project : "the runs without a project";
}

}  // namespace flaky
