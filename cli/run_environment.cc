// SPDX-License-Identifier: MIT
#include "cli/run_environment.h"

#include <filesystem>
#include <map>
#include <system_error>

#include "settings/settings_files.h"
#include "spool/ancestors.h"
#include "stores/redacted.h"
#include "stores/schemes.h"

namespace flaky {
namespace {

namespace fs = std::filesystem;

std::string Absolute(const std::string& path) {
  std::error_code no_folder;
  const fs::path absolute = fs::absolute(path, no_folder);
  return no_folder ? path : absolute.lexically_normal().string();
}

// A program that is searched in PATH has no slash.
bool IsSearched(const SettingInfo& info, const std::string& text) {
  return info.name == setting::kProgram.name() && text.find('/') == std::string::npos;
}

struct StoreNames {
  Setting<std::string> store, db, connection_string, table_prefix;
};

void AddStore(const Session& session, const Location& location, const StoreNames& names,
              std::map<std::string, std::string>& variables) {
  const auto set = [&](const SettingInfo& info, const std::string& text) { variables[std::string(info.name)] = text; };
  set(names.store, location.scheme);
  set(names.table_prefix, location.prefix);
  const std::string& address = location.address.Reveal();
  if (SchemeOf(location.scheme).is_file) {
    set(names.db, Absolute(address));
    return;
  }
  const auto given = session.settings.Given(names.connection_string);
  if (given && given->origin != Origin::kEnvironment && !HoldsSecret(SchemeOf(location.scheme), address))
    set(names.connection_string, given->text);
}

// Returns true if the user's environment has set this, or the connection string from which a file's name comes.
bool IsOfUser(const Session& session, const SettingInfo& info) {
  const auto in_environment = [&](const SettingInfo& each) {
    const auto given = session.resolved.everywhere.Given(each);
    return given && given->origin <= Origin::kEnvironment;
  };
  return in_environment(info) || (info.name == setting::kDb.name() && in_environment(setting::kConnectionString)) ||
         (info.name == setting::kDualDb.name() && in_environment(setting::kDualConnectionString));
}

// Adds which stores are not from the user's environment, but from a file or a default: they hold for this run, and not
// for what else waits in the spool.
void AddOrigins(const Session& session, std::map<std::string, std::string>& variables) {
  std::string set, project;
  for (const SettingInfo& info :
       {SettingInfo(setting::kStore), SettingInfo(setting::kDb), SettingInfo(setting::kTablePrefix),
        SettingInfo(setting::kConnectionString), SettingInfo(setting::kDualStore), SettingInfo(setting::kDualDb),
        SettingInfo(setting::kDualTablePrefix), SettingInfo(setting::kDualConnectionString)}) {
    const auto variable = variables.find(std::string(info.name));
    const auto given = session.settings.Given(info);
    if (given && project.empty()) project = given->root;
    if (variable == variables.end() || IsOfUser(session, info)) continue;
    set += (set.empty() ? "" : ",") + RunVariable(info, variable->second);
  }
  variables[kRunStores] = set;
  variables[kRunProject] = project;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> EnvironmentOfRun(const Session& session, const std::string& run_id) {
  const ResolvedSettings& resolved = session.resolved;
  std::map<std::string, std::string> variables;
  for (const SettingInfo& info : SettingTable()) {
    const auto given = session.settings.Given(info);
    if (info.kind != SettingKind::kPath || !given || given->misplaced || IsSearched(info, given->text)) continue;
    // The stores come below, after they were checked.
    if (given->origin == Origin::kProjectFile && resolved.source.IsError()) continue;
    if (given->origin == Origin::kProjectFile && info.name != setting::kSourceDb.name()) continue;
    variables[std::string(info.name)] = Absolute(given->text);
  }
  variables[std::string(setting::kRunId.name())] = run_id;
  variables[std::string(setting::kSpool.name())] = Absolute(resolved.spool.Get());
  variables[std::string(setting::kProject.name())] = resolved.project.value_or("");
  // One delivery, by this process.
  variables[std::string(setting::kDeliveryTimeout.name())] = "0";
  if (!resolved.delivery_timeout.IsError()) {
    variables[kRunTimeout] = std::to_string(resolved.delivery_timeout.Get().count());
  }
  const ProcessId self = ThisProcess();
  variables[kRunProcess] = std::to_string(self.pid) + '-' + self.pid_start;
  if (const fs::path file = UserSettingsFile(GetEnvironment); !file.empty()) variables[kRunConfig] = file.string();

  if (!resolved.history.IsError()) {
    AddStore(session, resolved.history.Get(),
             {setting::kStore, setting::kDb, setting::kConnectionString, setting::kTablePrefix}, variables);
  }
  if (!resolved.second.IsError() && resolved.second.Get()) {
    AddStore(session, *resolved.second.Get(),
             {setting::kDualStore, setting::kDualDb, setting::kDualConnectionString, setting::kDualTablePrefix},
             variables);
  }
  AddOrigins(session, variables);
  return {variables.begin(), variables.end()};
}

}  // namespace flaky
