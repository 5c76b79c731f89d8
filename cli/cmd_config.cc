// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/model.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/output/json_output.h"
#include "cli/output/log.h"
#include "cli/output/table.h"
#include "settings/unknown_variables.h"

namespace flaky {
namespace {

struct Options {
  bool json = false;
};

struct Row {
  std::string name;
  std::string value;  // as it may be shown
  Origin origin = Origin::kDefault;
  std::string where;
  std::string problem;  // empty: none
};

constexpr char kInvalid[] = "(invalid)";

std::string_view NameOf(Origin origin) {
  switch (origin) {
    case Origin::kFlag:
      return "flag";
    case Origin::kEnvironment:
      return "environment";
    case Origin::kProjectFile:
      return "project file";
    case Origin::kUserFile:
      return "user file";
    case Origin::kDefault:
      break;
  }
  return "default";
}

// What a default that the table can only describe comes to here and now.
std::string DefaultInForce(const ResolvedSettings& resolved, const SettingInfo& info) {
  if (info.name == setting::kSpool.name()) return resolved.spool.IsError() ? "" : resolved.spool.Get();
  if (info.name == setting::kProject.name()) return resolved.project.value_or("");
  if (info.name == setting::kDb.name()) return DefaultHistoryFile();
  return std::string(info.default_value);
}

Row RowOf(const Session& session, const SettingInfo& info) {
  const Settings& settings = session.settings;
  Row row{.name = std::string(info.name), .value = {}, .origin = Origin::kDefault, .where = {}, .problem = {}};
  const std::optional<SettingValue> given = settings.Given(info);
  row.value = given ? given->text : DefaultInForce(session.resolved, info);
  if (info.secret && !row.value.empty()) row.value = "***";
  if (given) {
    row.origin = given->origin;
    row.where = given->where;
  }
  try {
    settings.Check(info);
    if (given) CheckPlace(info, *given);
    if (info.name == setting::kSpool.name()) session.resolved.spool.Get();
  } catch (const std::exception& error) {
    row.problem = error.what();
    // It may be a secret in the wrong place.
    if (given) row.value = kInvalid;
  }
  return row;
}

// Returns the constants of the judge that files set.
std::vector<Row> JudgeRows(const Settings& settings) {
  std::vector<Row> rows;
  for (const auto& [name, number] : settings.JudgeNumbers()) {
    std::ostringstream value;
    value << number.value;
    rows.push_back(
        {.name = "judge." + name, .value = value.str(), .origin = number.origin, .where = number.where, .problem = {}});
    try {
      Model model;
      SetConstant(model, name, number.value);
    } catch (const std::exception& error) {
      rows.back().problem = number.where + ": " + error.what();
    }
  }
  return rows;
}

void PrintText(const std::vector<Row>& rows, const Session& session) {
  Table table({{.title = "SETTING"}, {.title = "VALUE"}, {.title = "FROM"}});
  for (const Row& row : rows) {
    table.Add({row.name,
               {row.value.empty() ? "-" : row.value, row.problem.empty() ? Style::kPlain : Style::kBad},
               row.where.empty() ? std::string(NameOf(row.origin)) : row.where});
  }
  table.Print(session.out, session.color);
}

Json AsJson(const std::vector<Row>& rows, const std::vector<UnknownVariable>& unknown, const std::string& left_out) {
  Json json = JsonOutput();
  json["settings"] = Json::array();
  for (const Row& row : rows) {
    json["settings"].push_back({{"name", row.name},
                                {"value", row.value == kInvalid ? Json() : Json(row.value)},
                                {"origin", NameOf(row.origin)},
                                {"where", row.where},
                                {"problem", row.problem.empty() ? Json() : Json(row.problem)}});
  }
  json["left_out"] = left_out.empty() ? Json() : Json(left_out);
  json["unknown"] = Json::array();
  for (const auto& [name, meant] : unknown) {
    json["unknown"].push_back({{"name", name}, {"did_you_mean", meant.empty() ? Json() : Json(meant)}});
  }
  return json;
}

void ShowConfig(Session& session, const Options& options) {
  std::vector<Row> rows;
  for (const SettingInfo& info : SettingTable()) rows.push_back(RowOf(session, info));
  for (Row& row : JudgeRows(session.settings)) rows.push_back(std::move(row));
  const std::vector<UnknownVariable> unknown = UnknownVariables();
  if (options.json) {
    PrintJson(session.out, AsJson(rows, unknown, session.left_out));
  } else {
    PrintText(rows, session);
  }
  for (const auto& [name, meant] : unknown) {
    Log(session.log, LogLevel::kWarn,
        name + " is set, but is not a setting of flaky" + (meant.empty() ? "" : "; did you mean `" + meant + "`?"));
  }
  for (const Row& row : rows) {
    if (row.problem.empty()) continue;
    Log(session.log, LogLevel::kError, row.problem);
    session.exit_code = ExitCode::kUsage;
  }
}

}  // namespace

void AddConfig(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("config", "Show every setting, its value and its origin");
  AddJsonFlag(*command, options->json);
  AddFooter(*command,
            {"If a setting is given in several places, the first of these wins: a flag, the environment, the project's "
             ".flaky.toml, the user's config.toml, the default. Secrets are printed as ***, and invalid values, which "
             "may be secrets in the "
             "wrong place, as (invalid). Exit code 2 if a value is invalid."},
            {"flaky config", "FLAKY_TESTS_WINDOW=14 flaky config --json"});
  command->callback([&session, options] { ShowConfig(session, *options); });
}

}  // namespace flaky
