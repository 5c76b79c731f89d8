// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_OPTIONS_H_
#define FLAKY_CLI_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "analysis/run_filters.h"
#include "cli/session.h"
#include "history/time.h"

// Options that several commands share, so that they have the same name, meaning and help everywhere.
namespace flaky {

// Adds an option that sets `setting` for this call. Its help is the meaning and the name of the setting.
void AddSettingOption(CLI::App& command, Session& session, const std::string& option, std::string_view type_name,
                      const SettingInfo& setting);

// Adds `--json`.
void AddJsonFlag(CLI::App& command, bool& json);

// Adds `--format NAME` for the formats of formats/format.h. `otherwise`: what happens without it.
void AddFormatOption(CLI::App& command, std::string& format, const std::string& otherwise);

// Adds `--project NAME` and, if `all` is not null, `--all`.
void AddProjectOptions(CLI::App& command, Session& session, bool* all);

// Adds an option that takes a time or an age (cli/output/time_text.h).
void AddTimeOption(CLI::App& command, const std::string& option, std::optional<Timestamp>& moment,
                   const std::string& description);

// Adds an option for each filter (analysis/run_filters.h). `filters` must outlive the command.
void AddFilterOptions(CLI::App& command, RunFilters& filters);

// A paragraph for the help of the commands with these options.
inline constexpr char kFilterNote[] =
    "A PATTERN may contain `*` and `?`. An empty value selects what has none: --branch ''. Of a filter that is given "
    "several times, one must match. Filters of parts reduce a run to the parts that match.";

// Throws SettingError if the name of a file in an argument looks like a URL, a connection string or a secret: a mistake
// must not become a file.
void RefuseAddressAsFile(const std::string& command, const std::string& file);

// Returns the filter for the store that these options select.
std::optional<std::optional<std::string>> ProjectFilter(const Session& session, bool all);

// Returns a phrase for messages: "project demo", "the runs without a project", "all projects".
std::string ProjectPhrase(const std::optional<std::optional<std::string>>& project);

}  // namespace flaky

#endif  // FLAKY_CLI_OPTIONS_H_
