// SPDX-License-Identifier: MIT
#include "settings/settings.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <type_traits>

#include "history/masked.h"
#include "settings/suggestions.h"
#include "stores/location.h"
#include "stores/schemes.h"

namespace flaky {
namespace {

using enum SettingKind;
using enum SettingPlaces;

constexpr std::string_view kNamePrefix = "FLAKY_TESTS_";

constexpr auto kTable = std::to_array<SettingInfo>({
    {.name = "FLAKY_TESTS_STORE",
     .kind = kStore,
     .default_value = "sqlite",
     .meaning = "the kind of store that keeps the history"},
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
     .default_value = "[the name of the git repository, else of the folder of the sources]",
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
    {.name = "FLAKY_TESTS_RECORD_ARGUMENTS",
     .kind = kBool,
     .default_value = "1",
     .meaning = "if 0, the arguments of test programs and commands are not recorded; what looks like a secret in them "
                "never is",
     .places = kEnvironment},
    {.name = "FLAKY_TESTS_WINDOW",
     .kind = kNumber,
     .default_value = "7",
     .meaning = "days in which `check --rule npm` looks for failures; it compares them with the same number of days "
                "before",
     .min = 1,
     .max = 3650},
    {.name = "FLAKY_TESTS_THRESHOLD",
     .kind = kNumber,
     .default_value = "2",
     .meaning = "number of failures in the window from which `check --rule npm` reports a test",
     .min = 1,
     .max = 1'000'000},
    {.name = "FLAKY_TESTS_DEFAULT_BRANCH",
     .default_value = "[main, master, trunk or develop, else the branch with most parts]",
     .meaning = "the branch on which a test must work: a test that fails there is broken"},
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
     .meaning = "seconds that a delivery may take that a test program starts when it ends; with 0 it starts none",
     .min = 0,
     .max = 3600,
     .places = kEnvironment},
    {.name = "FLAKY_TESTS_DELIVERY_WAIT",
     .kind = kNumber,
     .default_value = "100",
     .meaning = "milliseconds that a test program waits for its delivery, which goes on without it. If this is not "
                "set, a program that still has other threads does not wait",
     .min = 0,
     .max = 3'600'000,
     .places = kEnvironment},
    {.name = "FLAKY_TESTS_VARIANT",
     .default_value = "[as compiled: asan, tsan, msan, release or debug]",
     .meaning = "the kind of build of the test program",
     .places = kEnvironment},
    {.name = "FLAKY_TESTS_FIXTURE",
     .meaning = "the CTest fixture whose cleanup test delivers; set by flaky_discover_tests",
     .places = kEnvironment},
    {.name = "FLAKY_TESTS_SOURCE_STORE",
     .kind = kStore,
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
     .kind = kStore,
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

template <typename T>
consteval bool IsReadAs(SettingKind kind) {
  if (std::is_same_v<T, bool>) return kind == kBool;
  if (std::is_same_v<T, int64_t>) return kind == kNumber || kind == kBytes;
  if (std::is_same_v<T, std::chrono::seconds>) return kind == kSeconds;
  return std::is_same_v<T, std::string> &&
         (kind == kText || kind == kPath || kind == kChoice || kind == SettingKind::kStore);
}

}  // namespace

template <typename T>
consteval Setting<T>::Setting(std::string_view name) {
  for (const SettingInfo& info : kTable) {
    if (info.name == name && IsReadAs<T>(info.kind)) info_ = &info;
  }
  if (info_ == nullptr) throw "not in the table, or of another type there";
}

namespace setting {

constexpr Setting<std::string> kStore("FLAKY_TESTS_STORE");
constexpr Setting<std::string> kDb("FLAKY_TESTS_DB");
constexpr Setting<std::string> kConnectionString("FLAKY_TESTS_CONNECTION_STRING");
constexpr Setting<std::string> kAuthToken("FLAKY_TESTS_AUTH_TOKEN");
constexpr Setting<std::string> kTablePrefix("FLAKY_TESTS_TABLE_PREFIX");
constexpr Setting<std::string> kProject("FLAKY_TESTS_PROJECT");
constexpr Setting<std::string> kSupabaseDb("FLAKY_TESTS_SUPABASE_DB");
constexpr Setting<std::string> kSupabaseToken("FLAKY_TESTS_SUPABASE_TOKEN");
constexpr Setting<std::string> kSourceStore("FLAKY_TESTS_SOURCE_STORE");
constexpr Setting<std::string> kSourceDb("FLAKY_TESTS_SOURCE_DB");
constexpr Setting<std::string> kSourceConnectionString("FLAKY_TESTS_SOURCE_CONNECTION_STRING");
constexpr Setting<std::string> kSourceAuthToken("FLAKY_TESTS_SOURCE_AUTH_TOKEN");
constexpr Setting<std::string> kSourceTablePrefix("FLAKY_TESTS_SOURCE_TABLE_PREFIX");
constexpr Setting<std::string> kDualStore("FLAKY_TESTS_DUAL_STORE");
constexpr Setting<std::string> kDualDb("FLAKY_TESTS_DUAL_DB");
constexpr Setting<std::string> kDualConnectionString("FLAKY_TESTS_DUAL_CONNECTION_STRING");
constexpr Setting<std::string> kDualAuthToken("FLAKY_TESTS_DUAL_AUTH_TOKEN");
constexpr Setting<std::string> kDualTablePrefix("FLAKY_TESTS_DUAL_TABLE_PREFIX");
constexpr Setting<std::string> kRunId("FLAKY_TESTS_RUN_ID");
constexpr Setting<std::string> kSpool("FLAKY_TESTS_SPOOL");
constexpr Setting<std::string> kProgram("FLAKY_TESTS_PROGRAM");
constexpr Setting<std::string> kVariant("FLAKY_TESTS_VARIANT");
constexpr Setting<std::string> kFixture("FLAKY_TESTS_FIXTURE");
constexpr Setting<std::string> kLog("FLAKY_TESTS_LOG");
constexpr Setting<std::string> kLogFile("FLAKY_TESTS_LOG_FILE");
constexpr Setting<bool> kDisable("FLAKY_TESTS_DISABLE");
constexpr Setting<bool> kRecordArguments("FLAKY_TESTS_RECORD_ARGUMENTS");
constexpr Setting<int64_t> kMaxMessage("FLAKY_TESTS_MAX_MESSAGE");
constexpr Setting<int64_t> kWindow("FLAKY_TESTS_WINDOW");
constexpr Setting<std::string> kDefaultBranch("FLAKY_TESTS_DEFAULT_BRANCH");
constexpr Setting<int64_t> kThreshold("FLAKY_TESTS_THRESHOLD");
constexpr Setting<std::chrono::seconds> kDeliveryTimeout("FLAKY_TESTS_DELIVERY_TIMEOUT");

}  // namespace setting

namespace {

bool EmptyIsAValue(std::string_view name) { return name == "FLAKY_TESTS_PROJECT" || name.ends_with("_TABLE_PREFIX"); }

// Shows the value if it is a number. Any other text may be a secret in the wrong place.
[[noreturn]] void Refuse(const SettingInfo& info, const SettingValue& value, const std::string& expected) {
  constexpr size_t kLongestNumber = 24;
  const std::string& text = value.text;
  const bool is_number = text.size() <= kLongestNumber && text.find_first_not_of("-.0123456789") == text.npos;
  const std::string shown = is_number && !text.empty() ? " `" + text + "`" : "";
  throw SettingError(Naming(info, value) + ": invalid value" + shown + "; expected " + expected);
}

[[noreturn]] void RefuseMisplaced(const SettingInfo& info, const SettingValue& value) {
  Refuse(info, value,
         std::string(info.kind == kPath ? "the path of a file or folder" : "a name") +
             ", not a URL, a connection string or a secret; the address of a store belongs in "
             "FLAKY_TESTS_CONNECTION_STRING, and the kind of store in FLAKY_TESTS_STORE");
}

// Returns true for the settings whose text is the name of something or the path of a file.
bool IsForName(const SettingInfo& info) {
  return !info.secret && !info.name.ends_with("_TABLE_PREFIX") && (info.kind == kText || info.kind == kPath);
}

// The value that was set, or the table's default, which is always of its kind.
SettingValue InForce(const Settings& settings, const SettingInfo& info) {
  return settings.Given(info).value_or(SettingValue{.text = std::string(info.default_value), .where = {}});
}

bool IsOneOf(std::initializer_list<std::string_view> words, std::string_view text) {
  return std::ranges::find(words, text) != words.end();
}

bool BoolIn(const Settings& settings, const SettingInfo& info) {
  const SettingValue value = InForce(settings, info);
  if (IsOneOf({"1", "true", "yes", "on"}, value.text)) return true;
  if (IsOneOf({"0", "false", "no", "off"}, value.text)) return false;
  Refuse(info, value, "1, true, yes, on or 0, false, no, off");
}

int64_t NumberIn(const Settings& settings, const SettingInfo& info) {
  const SettingValue value = InForce(settings, info);
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

std::string TextIn(const Settings& settings, const SettingInfo& info) {
  const SettingValue value = InForce(settings, info);
  const std::vector<std::string> words = ChoicesOf(info);
  if (!words.empty() && std::ranges::find(words, value.text) == words.end()) {
    std::string expected;
    for (const std::string& word : words) {
      expected += (expected.empty() ? "" : word == words.back() ? " or " : ", ") + word;
    }
    Refuse(info, value, expected + DidYouMean(value.text, words));
  }
  if (value.origin == Origin::kDefault && value.text.starts_with('[')) return {};
  if (value.misplaced) RefuseMisplaced(info, value);
  return value.text;
}

}  // namespace

std::span<const SettingInfo> SettingTable() { return kTable; }

const SettingInfo* FindSetting(std::string_view name) {
  const auto found = std::ranges::find(kTable, name, &SettingInfo::name);
  return found == kTable.end() ? nullptr : &*found;
}

std::vector<std::string> ChoicesOf(const SettingInfo& info) {
  std::vector<std::string> words;
  if (info.kind == kStore) {
    for (const SchemeInfo& scheme : Schemes()) {
      if (scheme.not_a_store.empty()) words.emplace_back(scheme.name);
    }
  }
  for (std::string_view choices = info.choices; !choices.empty();) {
    words.emplace_back(choices.substr(0, choices.find('|')));
    choices.remove_prefix(std::min(choices.size(), words.back().size() + 1));
  }
  return words;
}

std::string FileKey(const SettingInfo& setting) {
  std::string key(setting.name.substr(kNamePrefix.size()));
  for (char& c : key) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return key;
}

std::string Naming(const SettingInfo& info, const SettingValue& value) {
  std::string text(info.name);
  if (value.origin == Origin::kEnvironment) return text + " (in the environment)";
  if (value.origin == Origin::kFlag) return value.where.empty() ? text : value.where;
  return value.where.empty() ? text : text + " (in " + value.where + ")";
}

void Settings::Set(const SettingInfo& info, SettingValue value) {
  std::string text(flaky::Unwrapped(value.text));
  if (text != value.text) unwrapped_.push_back(Naming(info, value));
  value.text = std::move(text);
  if (info.secret) KeepPartsOutOfMessages(value.text);
  if (info.secret && info.name.ends_with("_TOKEN")) KeepOutOfMessages(value.text);
  if (IsForName(info) && LooksLikeAddress(value.text)) {
    KeepOutOfMessages(value.text);
    KeepPartsOutOfMessages(value.text);
    value.text.clear();
    value.misplaced = true;
    if (value.origin == Origin::kFlag) RefuseMisplaced(info, value);
  }
  if (value.text.empty() && !value.misplaced && !EmptyIsAValue(info.name)) return;
  const Origin origin = value.origin;
  values_[info.name].insert_or_assign(origin, std::move(value));
}

const SettingValue* Settings::Strongest(const SettingInfo& info) const {
  const auto found = values_.find(info.name);
  return found == values_.end() ? nullptr : &found->second.begin()->second;
}

std::optional<SettingValue> Settings::Given(const SettingInfo& info) const {
  const auto found = values_.find(info.name);
  if (found == values_.end()) return std::nullopt;
  for (const auto& [origin, value] : found->second) {
    if (!value.misplaced || info.kind == kPath) return value;
  }
  return std::nullopt;
}

Settings Settings::WithoutProject() const {
  Settings rest = *this;
  for (auto& [name, values] : rest.values_) {
    std::erase_if(values, [](const auto& entry) { return entry.first == Origin::kProjectFile || entry.second.of_run; });
  }
  std::erase_if(rest.values_, [](const auto& entry) { return entry.second.empty(); });
  for (auto& [name, numbers] : rest.judge_) numbers.erase(Origin::kProjectFile);
  std::erase_if(rest.judge_, [](const auto& entry) { return entry.second.empty(); });
  return rest;
}

std::string Settings::Get(const Setting<std::string>& setting) const { return TextIn(*this, setting); }

bool Settings::Get(const Setting<bool>& setting) const { return BoolIn(*this, setting); }

int64_t Settings::Get(const Setting<int64_t>& setting) const { return NumberIn(*this, setting); }

std::chrono::seconds Settings::Get(const Setting<std::chrono::seconds>& setting) const {
  return std::chrono::seconds(NumberIn(*this, setting));
}

void Settings::Check(const SettingInfo& info) const {
  if (const SettingValue* const value = Strongest(info); value != nullptr && value->misplaced) {
    RefuseMisplaced(info, *value);
  }
  switch (info.kind) {
    case kText:
    case kPath:
    case kChoice:
    case SettingKind::kStore:
      if (const std::string text = TextIn(*this, info); info.name.ends_with("_TABLE_PREFIX")) {
        CheckPrefix(text, Naming(info, InForce(*this, info)));
      }
      return;
    case kBool:
      BoolIn(*this, info);
      return;
    case kNumber:
    case kSeconds:
    case kBytes:
      NumberIn(*this, info);
      return;
  }
}

}  // namespace flaky
