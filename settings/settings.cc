#include "settings/settings.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <stdexcept>

namespace flaky {
namespace {

using enum SettingKind;
using enum SettingPlaces;

constexpr std::string_view kNamePrefix = "FLAKY_TESTS_";

constexpr auto kTable = std::to_array<SettingInfo>({
    {.name = "FLAKY_TESTS_STORE", .default_value = "sqlite", .meaning = "the kind of store that keeps the history"},
    {.name = "FLAKY_TESTS_DB",
     .kind = kPath,
     .default_value = "[history.db in the state folder]",
     .meaning = "the database file of the sqlite store"},
    {.name = "FLAKY_TESTS_CONNECTION_STRING",
     .meaning = "the address of the store; for sqlite, `sqlite:PATH`",
     .places = kPersonal,
     .secret = true},
    {.name = "FLAKY_TESTS_AUTH_TOKEN",
     .meaning = "the access token, for stores that need one",
     .places = kPersonal,
     .secret = true},
    {.name = "FLAKY_TESTS_SUPABASE_DB",
     .meaning =
         "the connection string of a Supabase project's database, through which `schema migrate` creates the tables",
     .places = kPersonal,
     .secret = true},
    {.name = "FLAKY_TESTS_SUPABASE_TOKEN",
     .meaning = "the personal access token for `schema migrate --management-api`",
     .places = kPersonal,
     .secret = true},
    {.name = "FLAKY_TESTS_PROJECT",
     .default_value = "[the name of the git repository's top folder, else of the current folder]",
     .meaning = "the project that runs belong to; empty for none"},
    {.name = "FLAKY_TESTS_TABLE_PREFIX",
     .default_value = "flaky_test_",
     .meaning = "the prefix of all table names: characters from [a-z0-9_], or empty"},
    {.name = "FLAKY_TESTS_RUN_ID",
     .default_value = "[one per process, or per ctest or command of Bazel]",
     .meaning = "the id of the run; processes with the same id are recorded as one run",
     .places = kEnvironment},
    {.name = "FLAKY_TESTS_DISABLE",
     .kind = kBool,
     .default_value = "0",
     .meaning = "if 1, test programs record nothing",
     .places = kEnvironment},
    {.name = "FLAKY_TESTS_WINDOW",
     .kind = kNumber,
     .default_value = "7",
     .meaning = "days in which `check` looks for failures; it compares them with the same number of days before",
     .min = 1,
     .max = 3650},
    {.name = "FLAKY_TESTS_THRESHOLD",
     .kind = kNumber,
     .default_value = "2",
     .meaning = "number of failures in the window from which `check` reports a test",
     .min = 1,
     .max = 1'000'000},
    {.name = "FLAKY_TESTS_LOG",
     .kind = kChoice,
     .default_value = "warn",
     .meaning = "minimum level of messages to print",
     .choices = "silent|error|warn|debug"},
    {.name = "FLAKY_TESTS_LOG_FILE",
     .kind = kPath,
     .meaning = "append messages to this file; only errors go to stderr",
     .places = kPersonal},
    {.name = "FLAKY_TESTS_SPOOL",
     .kind = kPath,
     .default_value = "[spool in the state folder]",
     .meaning = "the folder in which test programs leave what they recorded, until it is delivered",
     .places = kEnvironment},
    {.name = "FLAKY_TESTS_PROGRAM",
     .kind = kPath,
     .default_value = "[flaky as installed or built, else from PATH]",
     .meaning = "the `flaky` program that test programs start to deliver what they recorded",
     .places = kEnvironment},
    {.name = "FLAKY_TESTS_MAX_MESSAGE",
     .kind = kBytes,
     .default_value = "65536",
     .meaning = "maximum size of a failure's message in bytes; longer messages are cut",
     .min = 1024,
     .max = 16'777'216,
     .places = kEnvironment},
    {.name = "FLAKY_TESTS_DELIVERY_TIMEOUT",
     .kind = kSeconds,
     .default_value = "10",
     .meaning = "seconds that a test program waits for its delivery when it ends; with 0 it starts none",
     .min = 0,
     .max = 3600,
     .places = kEnvironment},
    {.name = "FLAKY_TESTS_VARIANT",
     .default_value = "[as compiled: asan, tsan, msan, release or debug]",
     .meaning = "the kind of build of the test program",
     .places = kEnvironment},
    {.name = "FLAKY_TESTS_FIXTURE",
     .meaning = "the CTest fixture whose cleanup test delivers; set by flaky_discover_tests",
     .places = kEnvironment},
    {.name = "FLAKY_TESTS_SOURCE_STORE",
     .default_value = "sqlite",
     .meaning = "like FLAKY_TESTS_STORE, for the old store that `migrate-store` reads"},
    {.name = "FLAKY_TESTS_SOURCE_DB", .kind = kPath, .meaning = "like FLAKY_TESTS_DB, for the old store"},
    {.name = "FLAKY_TESTS_SOURCE_CONNECTION_STRING",
     .meaning = "like FLAKY_TESTS_CONNECTION_STRING, for the old store",
     .places = kPersonal,
     .secret = true},
    {.name = "FLAKY_TESTS_SOURCE_AUTH_TOKEN",
     .meaning = "like FLAKY_TESTS_AUTH_TOKEN, for the old store",
     .places = kPersonal,
     .secret = true},
    {.name = "FLAKY_TESTS_SOURCE_TABLE_PREFIX",
     .default_value = "flaky_test_",
     .meaning = "like FLAKY_TESTS_TABLE_PREFIX, for the old store"},
    {.name = "FLAKY_TESTS_DUAL_STORE",
     .default_value = "sqlite",
     .meaning = "like FLAKY_TESTS_STORE, for a second store that also receives every delivery"},
    {.name = "FLAKY_TESTS_DUAL_DB", .kind = kPath, .meaning = "like FLAKY_TESTS_DB, for the second store"},
    {.name = "FLAKY_TESTS_DUAL_CONNECTION_STRING",
     .meaning = "like FLAKY_TESTS_CONNECTION_STRING, for the second store",
     .places = kPersonal,
     .secret = true},
    {.name = "FLAKY_TESTS_DUAL_AUTH_TOKEN",
     .meaning = "like FLAKY_TESTS_AUTH_TOKEN, for the second store",
     .places = kPersonal,
     .secret = true},
    {.name = "FLAKY_TESTS_DUAL_TABLE_PREFIX",
     .default_value = "flaky_test_",
     .meaning = "like FLAKY_TESTS_TABLE_PREFIX, for the second store"},
});

const SettingInfo& Known(std::string_view name) {
  const SettingInfo* info = FindSetting(name);
  if (info == nullptr) throw std::logic_error("no setting " + std::string(name));
  return *info;
}

bool EmptyIsAValue(std::string_view name) { return name == "FLAKY_TESTS_PROJECT" || name.ends_with("_TABLE_PREFIX"); }

[[noreturn]] void Refuse(const SettingInfo& info, const SettingValue& value, const std::string& wanted) {
  throw SettingError(Naming(info.name, value) + " is " + (info.secret ? "***" : "`" + value.text + "`") + ", but " +
                     wanted + " is wanted");
}

// The given value, or the table's default, which is always of its kind.
SettingValue InForce(const Settings& settings, const SettingInfo& info) {
  return settings.Given(info.name).value_or(SettingValue{.text = std::string(info.default_value), .where = {}});
}

bool IsChoice(std::string_view choices, std::string_view text) {
  while (!choices.empty()) {
    const std::string_view one = choices.substr(0, choices.find('|'));
    if (one == text) return true;
    choices.remove_prefix(std::min(choices.size(), one.size() + 1));
  }
  return false;
}

std::string ReadableChoices(std::string_view choices) {
  std::string readable(choices);
  for (size_t bar = 0; (bar = readable.find('|', bar)) != std::string::npos;) {
    readable.replace(bar, 1, readable.find('|', bar + 1) == std::string::npos ? " or " : ", ");
  }
  return readable;
}

}  // namespace

std::span<const SettingInfo> SettingTable() { return kTable; }

const SettingInfo* FindSetting(std::string_view name) {
  const auto found =
      std::find_if(kTable.begin(), kTable.end(), [&](const SettingInfo& info) { return info.name == name; });
  return found == kTable.end() ? nullptr : &*found;
}

std::string FileKey(const SettingInfo& setting) {
  std::string key(setting.name.substr(kNamePrefix.size()));
  for (char& c : key) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return key;
}

std::string Naming(std::string_view name, const SettingValue& value) {
  std::string text(name);
  if (value.origin == Origin::kEnvironment) return text + " (in the environment)";
  if (value.origin == Origin::kFlag) return value.where.empty() ? text : value.where;
  return value.where.empty() ? text : text + " (in " + value.where + ")";
}

void Settings::Set(std::string_view name, SettingValue value) {
  const SettingInfo& info = Known(name);
  if (value.text.empty() && !EmptyIsAValue(info.name)) return;
  const auto known = values_.find(name);
  if (known == values_.end()) {
    values_.emplace(name, std::move(value));
  } else if (value.origin <= known->second.origin) {
    known->second = std::move(value);
  }
}

void Settings::ReadEnvironment(const std::function<const char*(const char*)>& get) {
  for (const SettingInfo& info : kTable) {
    const std::string name(info.name);
    if (const char* text = get(name.c_str())) Set(name, {text, Origin::kEnvironment, {}});
  }
}

std::optional<SettingValue> Settings::Given(std::string_view name) const {
  const auto found = values_.find(Known(name).name);
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

std::string Settings::Text(std::string_view name) const {
  const SettingInfo& info = Known(name);
  if (const auto given = Given(name)) return given->text;
  return std::string(info.default_value.starts_with('[') ? std::string_view() : info.default_value);
}

int64_t Settings::Number(std::string_view name) const {
  const SettingInfo& info = Known(name);
  const SettingValue value = InForce(*this, info);
  const char* const end = value.text.data() + value.text.size();
  int64_t number = 0;
  const auto [stopped, error] = std::from_chars(value.text.data(), end, number);
  if (error != std::errc() || stopped != end || number < info.min || number > info.max) {
    const std::string_view unit = info.kind == kSeconds ? " of seconds" : info.kind == kBytes ? " of bytes" : "";
    Refuse(
        info, value,
        "a whole number" + std::string(unit) + " from " + std::to_string(info.min) + " to " + std::to_string(info.max));
  }
  return number;
}

bool Settings::Bool(std::string_view name) const {
  const SettingInfo& info = Known(name);
  const SettingValue value = InForce(*this, info);
  if (IsChoice("1|true|yes|on", value.text)) return true;
  if (IsChoice("0|false|no|off", value.text)) return false;
  Refuse(info, value, "1, true, yes, on or 0, false, no, off");
}

std::string Settings::Choice(std::string_view name) const {
  const SettingInfo& info = Known(name);
  const SettingValue value = InForce(*this, info);
  if (!IsChoice(info.choices, value.text)) Refuse(info, value, ReadableChoices(info.choices));
  return value.text;
}

void Settings::Check(std::string_view name) const {
  switch (Known(name).kind) {
    case kText:
    case kPath:
      return;
    case kBool:
      Bool(name);
      return;
    case kChoice:
      Choice(name);
      return;
    case kNumber:
    case kSeconds:
    case kBytes:
      Number(name);
      return;
  }
}

std::string StateFolder(const std::function<const char*(const char*)>& get) {
  const char* state = get("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return std::string(state) + "/flaky";
  const char* home = get("HOME");
  if (home != nullptr && *home == '/') return std::string(home) + "/.local/state/flaky";
  return "/tmp/flaky-" + std::to_string(::getuid());
}

}  // namespace flaky
