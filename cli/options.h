#ifndef FLAKY_CLI_OPTIONS_H_
#define FLAKY_CLI_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "cli/session.h"
#include "history/time.h"

// Options that several commands have, so that they have the same name, meaning and help everywhere.
namespace flaky {

// An option that gives `setting` for this call; its help is the setting's meaning and name.
void AddSettingOption(CLI::App& command, Session& session, const std::string& option, std::string_view type_name,
                      std::string_view setting);

// `--json`.
void AddJsonFlag(CLI::App& command, bool& json);

// Which project's runs a command is about: `--project NAME`, and `--all` where `all` is given.
void AddProjectOptions(CLI::App& command, Session& session, bool* all);

// An option that reads a moment or an age (cli/output/time_text.h).
void AddTimeOption(CLI::App& command, const std::string& option, std::optional<Timestamp>& moment,
                   const std::string& description);

// The filter of stores for those options.
std::optional<std::optional<std::string>> ProjectFilter(const Session& session, bool all);

// For messages: "project demo", "the runs without a project", "all projects".
std::string ProjectPhrase(const std::optional<std::optional<std::string>>& project);

}  // namespace flaky

#endif  // FLAKY_CLI_OPTIONS_H_
