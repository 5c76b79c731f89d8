// SPDX-License-Identifier: MIT
#include "settings/locations.h"

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <system_error>
#include <utility>

#include "history/digest.h"
#include "history/masked.h"
#include "history/text.h"
#include "settings/project_folder.h"
#include "stores/error.h"
#include "stores/open.h"
#include "stores/redacted.h"
#include "stores/schemes.h"

namespace flaky {
namespace {

// The settings that name one store.
struct StoreSettings {
  std::string prefix;  // of their names
  Setting<std::string> store, db, connection_string, auth_token, table_prefix;
};

StoreSettings OfHistory() {
  return {"FLAKY_TESTS_",      setting::kStore,      setting::kDb, setting::kConnectionString,
          setting::kAuthToken, setting::kTablePrefix};
}

StoreSettings OfSource() {
  return {"FLAKY_TESTS_SOURCE_",     setting::kSourceStore,      setting::kSourceDb, setting::kSourceConnectionString,
          setting::kSourceAuthToken, setting::kSourceTablePrefix};
}

StoreSettings OfSecond() {
  return {"FLAKY_TESTS_DUAL_",     setting::kDualStore,      setting::kDualDb, setting::kDualConnectionString,
          setting::kDualAuthToken, setting::kDualTablePrefix};
}

// Returns the store's name that the setting gives. Throws SettingError if this build does not have it.
std::string StoreName(const Settings& settings, const Setting<std::string>& setting) {
  std::string name = settings.Get(setting);
  if (IsBuilt(name)) return name;
  std::vector<std::string_view> built;
  for (const SchemeInfo& scheme : Schemes()) {
    if (IsBuilt(scheme.name)) built.push_back(scheme.name);
  }
  throw SettingError(Naming(setting, settings.Given(setting).value_or(SettingValue())) +
                     ": this build of flaky does not have the store `" + name + "`; it has " + Join(built, ", "));
}

// Returns the setting from the stronger origin, of two that mean the same; the first if the origins are equal, and
// nullptr if neither is set.
const Setting<std::string>* StrongerOf(const Settings& settings, const Setting<std::string>& first,
                                       const Setting<std::string>& second) {
  const auto one = settings.Given(first);
  const auto two = settings.Given(second);
  if (one && (!two || one->origin <= two->origin)) return &first;
  return two ? &second : nullptr;
}

// Returns true for a text that can only be the path of a database: what is only a word may be a token.
bool LooksLikePath(std::string_view text) {
  const std::string_view path = text.substr(0, text.rfind('?'));
  if (LooksLikeAddress(text)) return false;
  return path.starts_with('/') || path.starts_with("./") || path.starts_with("../") || path.starts_with("~/") ||
         path.ends_with(".db") || path.ends_with(".sqlite") || path.ends_with(".sqlite3");
}

// Returns `STORE:ADDRESS` for a connection string, which may omit `STORE:`.
std::string WithStore(const std::string& connection, const std::string& store, const std::string& setting,
                      const std::string& store_setting) {
  const std::string named = StoreOf(connection);
  if (named.empty() && SchemeOf(store).is_file && !LooksLikePath(connection)) {
    throw SettingError(setting + " is not the address of a store: expected " +
                       Join(Schemes(), ", ", &SchemeInfo::address_form) +
                       (LooksLikeAddress(connection) ? "; remove what other programs put in front (`jdbc:`, "
                                                       "`+psycopg2`, `psql`), and set " +
                                                           store_setting + " to the kind of store"
                                                     : ""));
  }
  if (named.empty()) return store + ":" + connection;
  if (named == store) return connection;
  // `https://…` alone names Turso; other stores have addresses of this form, too.
  if (connection.starts_with("http") && SchemeOf(store).takes_http_urls) return store + ":" + connection;
  throw SettingError(setting + " names the store " + named + ", but " + store_setting + " is " + store + ": set " +
                     store_setting + "=" + named);
}

// Returns the store that the settings name; `default_file` returns the SQLite file if they name none.
Location LocationOf(const Settings& settings, const StoreSettings& names,
                    const std::function<std::string()>& default_file) {
  const std::string store_setting(names.store.name());
  const std::string file_setting(names.db.name());
  const std::string connection_setting(names.connection_string.name());
  const std::string store = StoreName(settings, names.store);
  const SchemeInfo& scheme = SchemeOf(store);
  const std::string prefix = settings.Get(names.table_prefix);
  CheckPrefix(prefix, names.table_prefix.name());

  const Setting<std::string>* chosen = settings.Given(names.connection_string) ? &names.connection_string : nullptr;
  if (scheme.is_file) chosen = StrongerOf(settings, names.db, names.connection_string);
  Location location;
  if (chosen == &names.connection_string) {
    const std::string text = WithStore(settings.Get(names.connection_string), store, connection_setting, store_setting);
    try {
      location = ParseLocation(text, prefix);
    } catch (const StoreError& error) {
      throw SettingError(Naming(names.connection_string, *settings.Given(names.connection_string)) + ": " +
                         error.what());
    }
  } else if (scheme.is_file && (chosen != nullptr || default_file)) {
    const std::string file = chosen != nullptr ? settings.Get(names.db) : default_file();
    if (chosen != nullptr) CheckPlace(names.db, *settings.Given(names.db));
    // The prefix is written out, so that a `?` in the path means nothing.
    location = ParseLocation(store + ":" + file + "?prefix=" + prefix, prefix);
  } else if (!scheme.needs_address) {
    location = ParseLocation(store + ":", prefix);  // the defaults of its client library are enough
  } else {
    const std::string wanted = scheme.is_file ? file_setting : connection_setting;
    throw SettingError(wanted + " is not set: the store " + store + " cannot be found without it");
  }
  location.token = Secret(settings.Get(names.auth_token));
  return location;
}

LocationDefaults DefaultsOf(const Settings& settings, const StoreSettings& names) {
  return {settings.Get(names.table_prefix), Secret(settings.Get(names.auth_token))};
}

std::optional<Location> SourceLocation(const Settings& settings) {
  const StoreSettings names = OfSource();
  for (const Setting<std::string>& name :
       {names.store, names.db, names.connection_string, names.auth_token, names.table_prefix}) {
    if (settings.Given(name)) return LocationOf(settings, names, nullptr);
  }
  return std::nullopt;
}

bool DualIsOn(const Settings& settings) {
  return settings.Given(setting::kDualStore) || settings.Given(setting::kDualDb) ||
         settings.Given(setting::kDualConnectionString);
}

std::string SpoolFolder(const Settings& settings) {
  const std::string given = settings.Get(setting::kSpool);
  return given.empty() ? UsableStateFolder(GetEnvironment) + "/spool" : given;
}

// Returns the project's folder if its file has a part in naming the two stores; empty otherwise.
std::string ProjectThatNamesStores(const Settings& settings) {
  for (const StoreSettings& names : {OfHistory(), OfSecond()}) {
    for (const Setting<std::string>& name : {names.store, names.db, names.table_prefix}) {
      const auto given = settings.Given(name);
      if (given && !given->root.empty()) return given->root;
    }
  }
  return {};
}

std::string DualQueue(const std::string& project) {
  constexpr size_t kDigits = 16;
  return project.empty() ? "dual" : "dual-" + DigestOf(project).ToString().substr(0, kDigits);
}

std::optional<std::string> CurrentProject(const Settings& settings) {
  std::error_code no_folder;
  const auto given = settings.Given(setting::kProject);
  std::string project = given ? given->text : ProjectOf(std::filesystem::current_path(no_folder));
  if (project.empty()) return std::nullopt;
  return project;
}

}  // namespace

const char* GetEnvironment(const char* name) { return std::getenv(name); }

std::string DefaultHistoryFile() { return StateFolder(GetEnvironment) + "/history.db"; }

void CheckPlace(const SettingInfo& info, const SettingValue& value) {
  if (value.origin != Origin::kProjectFile || info.kind != SettingKind::kPath) return;
  const std::filesystem::path root = value.root;
  const std::filesystem::path inside = std::filesystem::path(value.text).lexically_normal().lexically_relative(root);
  const auto refuse = [&](const std::string& why) {
    throw SettingError(Naming(info, value) + ": " + value.text + " " + why +
                       "; a project may only name a database in its own folder, " + root.string() + ": set " +
                       std::string(info.name) + " in the environment, or `" + FileKey(info) +
                       "` in the user's flaky/config.toml");
  };
  if (root.empty() || inside.empty() || inside == "." || *inside.begin() == "..") refuse("is outside of the project");
  const auto refuse_link = [&](const std::filesystem::path& place) {
    std::error_code missing;
    if (std::filesystem::is_symlink(std::filesystem::symlink_status(place, missing))) {
      refuse("is reached through the link " + place.string());
    }
  };
  std::filesystem::path place = root;
  for (const std::filesystem::path& part : inside) refuse_link(place /= part);
  for (const char* companion : {"-wal", "-shm", "-journal"}) refuse_link(place.string() + companion);
}

bool SelectSameStores(const ResolvedSettings& one, const ResolvedSettings& other) {
  if (one.history.IsError() || other.history.IsError()) return one.history.Problem() == other.history.Problem();
  if (!AreSameStore(one.history.Get(), other.history.Get()) || one.dual_is_on != other.dual_is_on) return false;
  if (one.second.IsError() || other.second.IsError()) return one.second.Problem() == other.second.Problem();
  const std::optional<Location>& second = one.second.Get();
  return !second || AreSameStore(*second, *other.second.Get());
}

ResolvedSettings Resolve(const Settings& settings) {
  ResolvedSettings resolved;
  resolved.history = OrError<Location>::From([&] {
    return LocationOf(settings, OfHistory(), [] { return UsableStateFolder(GetEnvironment) + "/history.db"; });
  });
  resolved.source = OrError<std::optional<Location>>::From([&] { return SourceLocation(settings); });
  resolved.dual_is_on = DualIsOn(settings);
  if (resolved.dual_is_on) {
    const auto second = OrError<Location>::From([&] { return LocationOf(settings, OfSecond(), nullptr); });
    resolved.keeps_for_second =
        resolved.history.IsError() || second.IsError() || !AreSameStore(resolved.history.Get(), second.Get());
    resolved.second = OrError<std::optional<Location>>::From([&] {
      const Location& other = second.Get();
      RefuseSameStore({"dual write", "FLAKY_TESTS_*", "FLAKY_TESTS_DUAL_*"}, resolved.history.Get(), other);
      return std::optional(other);
    });
  } else {
    resolved.second = OrError<std::optional<Location>>::From([] { return std::optional<Location>(); });
  }
  resolved.history_defaults = DefaultsOf(settings, OfHistory());
  resolved.source_defaults = DefaultsOf(settings, OfSource());
  resolved.spool = OrError<std::string>::From([&] { return SpoolFolder(settings); });
  resolved.dual_queue = DualQueue(ProjectThatNamesStores(settings));
  resolved.project = CurrentProject(settings);
  if (const auto given = settings.Given(setting::kProject); given && given->origin == Origin::kUserFile) {
    resolved.user_project = given->text;
  }
  resolved.delivery_timeout =
      OrError<std::chrono::seconds>::From([&] { return settings.Get(setting::kDeliveryTimeout); });
  resolved.everywhere = settings.WithoutProject();
  return resolved;
}

Location NamedLocation(const ResolvedSettings& resolved, const std::string& text, const std::string& option,
                       Side side) {
  const LocationDefaults& defaults = side == Side::kSource ? resolved.source_defaults : resolved.history_defaults;
  const std::string names = side == Side::kSource ? OfSource().prefix : OfHistory().prefix;
  const std::string store = StoreOf(text);
  if (store.empty() ? LooksSecret(text) : HoldsSecret(SchemeOf(store), text)) {
    throw SettingError(option + ": a password or token in an argument can be read by every user of this machine; set " +
                       names + "STORE and " + names + "CONNECTION_STRING instead");
  }
  Location location;
  try {
    location = ParseLocation(text, defaults.prefix);
  } catch (const StoreError& error) {
    throw SettingError(option + ": " + error.what());
  }
  if (location.display_name.find(kNotShown) != std::string::npos) {
    throw SettingError(option +
                       ": the address does not have its usual form, so it may contain a password or a token; " +
                       "check it, or set " + names + "STORE and " + names + "CONNECTION_STRING instead");
  }
  location.token = defaults.token;
  return location;
}

Location SourceOf(const ResolvedSettings& resolved, const StoreOptions& options, const std::string& text) {
  if (!text.empty()) return NamedLocation(resolved, text, options.source, Side::kSource);
  if (const std::optional<Location>& source = resolved.source.Get()) return *source;
  throw SettingError(options.command + ": no old store is named: give " + options.source +
                     " LOCATION or set FLAKY_TESTS_SOURCE_STORE and its companions");
}

Location TargetOf(const ResolvedSettings& resolved, const StoreOptions& options, const std::string& text) {
  return text.empty() ? resolved.history.Get() : NamedLocation(resolved, text, options.target, Side::kHistory);
}

}  // namespace flaky
