// SPDX-License-Identifier: MIT
#include "cli/options.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <vector>

#include "cli/output/escaped.h"
#include "cli/output/time_text.h"
#include "delivery/git_facts.h"
#include "formats/format.h"
#include "history/masked.h"
#include "history/text.h"

namespace flaky {

namespace {

constexpr std::chrono::seconds kGitTime{10};

// Replaces the name of a commit by its id. Returns an error text, or an empty one. The beginning of an id, which may be
// of any repository, and an empty text stay.
std::string ResolveCommit(std::string& text) {
  const auto is_hex = [](unsigned char c) { return std::isxdigit(c) != 0; };
  if (std::ranges::all_of(text, is_hex)) return {};
  std::error_code none;
  const NamedCommit found =
      FindCommit(std::filesystem::current_path(none), text, std::chrono::steady_clock::now() + kGitTime);
  if (found.id) {
    text = *found.id;
    return {};
  }
  const std::string shown = "`" + Escaped(text) + "` ";
  if (found.in_repository)
    return shown + "names no commit of the repository here; expected an id, or a name such as HEAD";
  return shown +
         "can only be resolved in a git repository, and this folder is in none that git can read; expected the "
         "beginning of a commit's id";
}

}  // namespace

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

void AddFormatOption(CLI::App& command, std::string& format, const std::string& otherwise) {
  std::vector<std::string> names;
  for (const Format& known : FormatTable()) names.emplace_back(known.name);
  const std::string meanings = Join(FormatTable(), "; ", [](const Format& known) {
    return std::string(known.name) + ": " + std::string(known.meaning);
  });
  command.add_option("--format", format, meanings + " (default: " + otherwise + ")")
      ->check(CLI::IsMember(names).description(""))
      ->type_name(Join(names, "|"));
}

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
    if (filter.name == "commit") option->transform(CLI::Validator(ResolveCommit, ""));
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
