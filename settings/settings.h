// SPDX-License-Identifier: MIT
#ifndef FLAKY_SETTINGS_SETTINGS_H_
#define FLAKY_SETTINGS_SETTINGS_H_

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The one table of settings. Tests compare docs/reference/settings.md and the settings that the recorder reads with it.
namespace flaky {

// How a setting's text is read.
enum class SettingKind { kText, kPath, kBool, kChoice, kStore, kNumber, kSeconds, kBytes };

// The places in which a setting may be given, in addition to a flag.
enum class SettingPlaces {
  kAll,          // the environment, the project's .flaky.toml, the user's config.toml
  kPersonal,     // not in .flaky.toml, which other people write and read
  kEnvironment,  // only in the environment: the recorder needs it, and reads no files
};

struct SettingInfo {
  std::string_view name;  // "FLAKY_TESTS_DB"
  SettingKind kind = SettingKind::kText;
  // As the user would write it; in brackets if it can only be described: "[history.db in the state folder]"; empty:
  // none.
  std::string_view default_value = {};
  std::string_view meaning = {};  // one line, no full stop
  int64_t min = 0, max = 0;       // of numbers, inclusive
  std::string_view choices = {};  // of kChoice: "silent|error|warn|debug"
  SettingPlaces places = SettingPlaces::kAll;
  bool secret = false;  // never printed
};

std::span<const SettingInfo> SettingTable();

// Returns nullptr if there is no such setting.
const SettingInfo* FindSetting(std::string_view name);

// Returns the texts that the setting may have: the choices of kChoice, for kStore the names of the stores
// (stores/schemes.h), and for any other kind nothing.
std::vector<std::string> ChoicesOf(const SettingInfo& info);

// Returns the name in .flaky.toml: "FLAKY_TESTS_AUTH_TOKEN" is `auth_token`.
std::string FileKey(const SettingInfo& setting);

// A setting as code names it, with the type of its value: `settings.Get(setting::kWindow)` is an int64_t. The
// constructor looks the name up in the table at compile time and is defined in settings.cc only: a name that is not in
// the table, or has another type there, does not compile.
template <typename T>
class Setting {
 public:
  consteval explicit Setting(std::string_view name);

  constexpr std::string_view name() const { return info_->name; }
  constexpr operator const SettingInfo&() const { return *info_; }

 private:
  const SettingInfo* info_ = nullptr;
};

namespace setting {

// The history's store, and the project of its runs.
extern const Setting<std::string> kStore, kDb, kConnectionString, kAuthToken, kTablePrefix, kProject;
extern const Setting<std::string> kSupabaseDb, kSupabaseToken;
// The old store that `migrate-store` reads, and the second store of a dual write.
extern const Setting<std::string> kSourceStore, kSourceDb, kSourceConnectionString, kSourceAuthToken,
    kSourceTablePrefix;
extern const Setting<std::string> kDualStore, kDualDb, kDualConnectionString, kDualAuthToken, kDualTablePrefix;
// What the test programs read, too.
extern const Setting<bool> kDisable, kRecordArguments;
extern const Setting<std::string> kRunId, kSpool, kProgram, kVariant, kFixture;
extern const Setting<int64_t> kMaxMessage;
extern const Setting<std::chrono::seconds> kDeliveryTimeout;
// What commands print.
extern const Setting<std::string> kLog, kLogFile;
extern const Setting<int64_t> kWindow, kThreshold;
extern const Setting<std::string> kDefaultBranch;

}  // namespace setting

// Where a value came from, the strongest first.
enum class Origin { kFlag, kEnvironment, kProjectFile, kUserFile, kDefault };

struct SettingValue {
  std::string text;
  Origin origin = Origin::kDefault;
  std::string where;       // for people: "--window", "/repo/.flaky.toml:3"; empty: the origin is enough
  std::string root = {};   // of a value from a project's file: the project's folder
  bool of_run = false;     // a `flaky run` has set this variable; it is not from the user's environment
  bool misplaced = false;  // an address or a secret in place of a name or a path: the text is not kept
};

// A number from the table [judge] of a file: a constant of the model (analysis/model.h).
struct JudgeNumber {
  double value = 0;
  Origin origin = Origin::kDefault;
  std::string where = {};  // "/repo/.flaky.toml:3"
};

// Reports an invalid setting. what() names the setting, the place of its value, what is wrong and what is expected. It
// contains the value only if that is a number: any other text may be a secret that was put in the wrong place.
class SettingError : public std::exception {
 public:
  explicit SettingError(std::string what) : what_(std::move(what)) {}
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::string what_;
};

// The settings in force: for each row of the table the value from the strongest origin that has one. Every
// `const SettingInfo&` here is a row of the table.
class Settings {
 public:
  // Sets `value` unless a stronger origin already did; within one origin the last value wins. An empty text does not
  // count as a value, except for FLAKY_TESTS_PROJECT and the *_TABLE_PREFIX settings, for which it has a meaning.
  // Blanks and line ends around the text are removed, and quotes around all of it: see Unwrapped. A secret is kept out
  // of all later messages. A text that looks like an address or a secret (LooksLikeAddress), in place of a name or a
  // path, is not kept: such a name counts as not set, and Get throws for such a path. Throws SettingError if it is
  // from a flag.
  void Set(const SettingInfo& info, SettingValue value);

  // Sets a number of the judge, whose name is not checked. The strongest origin counts.
  void SetJudge(const std::string& name, JudgeNumber number) {
    const Origin origin = number.origin;
    judge_[name].insert_or_assign(origin, std::move(number));
  }
  // Returns the numbers that count, by name.
  std::map<std::string, JudgeNumber> JudgeNumbers() const {
    std::map<std::string, JudgeNumber> numbers;
    for (const auto& [name, by_origin] : judge_) numbers.emplace(name, by_origin.begin()->second);
    return numbers;
  }

  // Reads every FLAKY_TESTS_* variable of the table from the environment that `get` reads (like std::getenv). A path
  // that begins with `~/` is in the home, as for a shell: a file of a CI or of ctest has no shell that replaces it.
  // Throws SettingError for such a path without a home, after all others were read.
  void ReadEnvironment(const std::function<const char*(const char*)>& get);

  // Returns the value that was set, or nullopt if the default applies. The text of a misplaced value is empty.
  std::optional<SettingValue> Given(const SettingInfo& info) const;

  // Returns what holds in every folder: the settings without those from a project's file, also if a `flaky run` has
  // handed them down as variables.
  Settings WithoutProject() const;

  // Returns the value in force, or the table's default; an empty text if the default is only described. Throws
  // SettingError if the text is not of the setting's kind: not a whole number, out of range, not one of the choices;
  // and for a URL, a connection string or what looks like a secret in place of a name or a path. A bool is 1, true, yes
  // or on, or 0, false, no or off.
  std::string Get(const Setting<std::string>& setting) const;
  bool Get(const Setting<bool>& setting) const;
  int64_t Get(const Setting<int64_t>& setting) const;
  std::chrono::seconds Get(const Setting<std::chrono::seconds>& setting) const;

  // Throws what Get would throw, SettingError for a name that Set did not keep, and StoreError for an invalid table
  // prefix.
  void Check(const SettingInfo& info) const;

  // Returns a sentence that names the settings whose texts had quotes or line ends around them, which Set removed.
  // Returns an empty text if no setting had.
  std::string Unwrapped() const;

 private:
  const SettingValue* Strongest(const SettingInfo& info) const;

  std::map<std::string_view, std::map<Origin, SettingValue>> values_;  // by name; the first one counts
  std::map<std::string, std::map<Origin, JudgeNumber>> judge_;
  std::vector<std::string> unwrapped_;  // as Naming names them
};

// Returns the beginning of a message about a value: `FLAKY_TESTS_WINDOW (in /repo/.flaky.toml:3)`.
std::string Naming(const SettingInfo& info, const SettingValue& value);

// Returns the folder for state: `$XDG_STATE_HOME/flaky`, else `$HOME/.local/state/flaky`, else `/tmp/flaky-<uid>`. A
// relative XDG_STATE_HOME is ignored, as the XDG base directory specification requires. The recorder does the same.
// Another user may have created the last one: see UsableStateFolder.
std::string StateFolder(const std::function<const char*(const char*)>& get);

// Returns the same folder. Throws SettingError if it is the one in /tmp, exists, and is not this user's own folder
// (IsOwnFolder): nothing in it may be read or written. Call it again after the folder was created.
std::string UsableStateFolder(const std::function<const char*(const char*)>& get);

}  // namespace flaky

#endif  // FLAKY_SETTINGS_SETTINGS_H_
