#include "settings/locations.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "history/text.h"
#include "settings/project_folder.h"
#include "settings/store_pair.h"
#include "settings/suggestions.h"
#include "stores/open.h"
#include "stores/redacted.h"
#include "stores/schemes.h"

namespace flaky {
namespace {

constexpr char kDualBase[] = "FLAKY_TESTS_DUAL_";

// The store's name that the setting gives, if this build has it.
std::string StoreName(const Settings& settings, const std::string& setting) {
  std::string name = settings.Text(setting);
  if (IsBuilt(name)) return name;
  std::vector<std::string> known;
  std::vector<std::string> built;
  for (const SchemeInfo& scheme : Schemes()) {
    known.emplace_back(scheme.name);
    if (IsBuilt(scheme.name)) built.emplace_back(scheme.name);
  }
  const std::string naming = Naming(setting, settings.Given(setting).value_or(SettingValue()));
  if (FindScheme(name) != nullptr) {
    throw SettingError(naming + ": this build of flaky does not have the store `" + name + "`; it has " +
                       Join(built, ", "));
  }
  throw SettingError(naming + ": there is no store `" + name + "`, only " + Join(known, ", ") +
                     DidYouMean(name, known));
}

// Of two settings that say the same thing, the one from the stronger origin; the first where they are equal.
std::optional<std::string> StrongerOf(const Settings& settings, const std::string& first, const std::string& second) {
  const auto one = settings.Given(first);
  const auto two = settings.Given(second);
  if (one && (!two || one->origin <= two->origin)) return first;
  return two ? std::optional(second) : std::nullopt;
}

// `STORE:ADDRESS` out of a connection string, which may leave `STORE:` out.
std::string WithStore(const std::string& connection, const std::string& store, const std::string& setting,
                      const std::string& store_setting) {
  const std::string named = StoreOf(connection);
  if (named.empty()) return store + ":" + connection;
  if (named == store) return connection;
  // `https://…` alone names Turso; other stores have addresses of this form, too.
  if (connection.starts_with("http") && SchemeOf(store).takes_http_urls) return store + ":" + connection;
  throw SettingError(setting + " names the store " + named + ", but " + store_setting + " is " + store + ": set " +
                     store_setting + "=" + named);
}

// The store that the settings with names from `base` on name; `default_file` is where an SQLite file is that none
// names.
Location LocationOf(const Settings& settings, const std::string& base, const std::string& default_file) {
  const std::string store_setting = base + "STORE";
  const std::string file_setting = base + "DB";
  const std::string connection_setting = base + "CONNECTION_STRING";
  const std::string store = StoreName(settings, store_setting);
  const SchemeInfo& scheme = SchemeOf(store);
  const std::string prefix = settings.Text(base + "TABLE_PREFIX");
  CheckPrefix(prefix, base + "TABLE_PREFIX");

  std::optional<std::string> chosen =
      settings.Given(connection_setting) ? std::optional(connection_setting) : std::nullopt;
  if (scheme.is_file) chosen = StrongerOf(settings, file_setting, connection_setting);
  Location location;
  if (chosen == connection_setting) {
    location =
        ParseLocation(WithStore(settings.Text(connection_setting), store, connection_setting, store_setting), prefix);
  } else if (scheme.is_file && (chosen || !default_file.empty())) {
    // The prefix is written out, so that a `?` in the path means nothing.
    const std::string file = chosen ? settings.Text(file_setting) : default_file;
    location = ParseLocation(store + ":" + file + "?prefix=" + prefix, prefix);
  } else if (!scheme.needs_address) {
    location = ParseLocation(store + ":", prefix);
  } else {
    const std::string wanted = scheme.is_file ? file_setting : connection_setting;
    throw SettingError(wanted + " is not set: the store " + store + " cannot be found without it");
  }
  location.token = Secret(settings.Text(base + "AUTH_TOKEN"));
  return location;
}

}  // namespace

const char* GetEnvironment(const char* name) { return std::getenv(name); }

Location HistoryLocation(const Settings& settings) {
  return LocationOf(settings, "FLAKY_TESTS_", DefaultHistoryFile());
}

std::string DefaultHistoryFile() { return StateFolder(GetEnvironment) + "/history.db"; }

std::optional<Location> SourceLocation(const Settings& settings) {
  const std::string base = "FLAKY_TESTS_SOURCE_";
  for (const SettingInfo& info : SettingTable()) {
    if (info.name.starts_with(base) && settings.Given(info.name)) return LocationOf(settings, base, "");
  }
  return std::nullopt;
}

bool IsDualOn(const Settings& settings) {
  for (const char* name : {"STORE", "DB", "CONNECTION_STRING"}) {
    if (settings.Given(std::string(kDualBase) + name)) return true;
  }
  return false;
}

bool WritesForSecond(const Settings& settings) {
  if (!IsDualOn(settings)) return false;
  try {
    return !AreSameStore(HistoryLocation(settings), LocationOf(settings, kDualBase, ""));
  } catch (const std::exception&) {
    return true;
  }
}

std::optional<Location> DualLocation(const Settings& settings) {
  if (!IsDualOn(settings)) return std::nullopt;
  Location second = LocationOf(settings, kDualBase, "");
  RefuseSameStore({"dual write", "FLAKY_TESTS_*", "FLAKY_TESTS_DUAL_*"}, HistoryLocation(settings), second);
  return second;
}

Location NamedLocation(const Settings& settings, const std::string& text, const std::string& option, Side side) {
  const std::string base = side == Side::kSource ? "FLAKY_TESTS_SOURCE_" : "FLAKY_TESTS_";
  Location location = ParseLocation(text, settings.Text(base + "TABLE_PREFIX"));
  if (HoldsSecret(location.address.Reveal())) {
    throw SettingError(option + ": a password or token in an argument can be read by every user of this machine; set " +
                       base + "STORE and " + base + "CONNECTION_STRING instead");
  }
  location.token = Secret(settings.Text(base + "AUTH_TOKEN"));
  return location;
}

std::string SpoolFolder(const Settings& settings) {
  const std::string given = settings.Text("FLAKY_TESTS_SPOOL");
  return given.empty() ? StateFolder(GetEnvironment) + "/spool" : given;
}

std::optional<std::string> CurrentProject(const Settings& settings) {
  std::error_code no_folder;
  const auto given = settings.Given("FLAKY_TESTS_PROJECT");
  std::string project = given ? given->text : ProjectOf(std::filesystem::current_path(no_folder));
  if (project.empty()) return std::nullopt;
  return project;
}

}  // namespace flaky
