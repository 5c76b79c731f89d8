#ifndef FLAKY_SETTINGS_SETTINGS_H_
#define FLAKY_SETTINGS_SETTINGS_H_

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

// The one table of settings. docs/reference/settings.md is checked against it, and so are the few that the recorder
// reads.
namespace flaky {

// How a setting's text is understood.
enum class SettingKind { kText, kPath, kBool, kChoice, kNumber, kSeconds, kBytes };

// Where a setting may be given, besides a flag.
enum class SettingPlaces {
  kAll,          // the environment, the project's .flaky.toml, the user's config.toml
  kPersonal,     // not in .flaky.toml, which others write and read
  kEnvironment,  // only there: the recorder needs it, and reads no files
};

struct SettingInfo {
  std::string_view name;  // "FLAKY_TESTS_DB"
  SettingKind kind = SettingKind::kText;
  // As it would be given; in brackets where it can only be described: "[history.db in the state folder]"; empty: none.
  std::string_view default_value = {};
  std::string_view meaning = {};  // one line, no full stop
  int64_t min = 0, max = 0;       // of numbers, inclusive
  std::string_view choices = {};  // of kChoice: "silent|error|warn|debug"
  SettingPlaces places = SettingPlaces::kAll;
  bool secret = false;  // never printed
};

std::span<const SettingInfo> SettingTable();

// Absent when there is no such setting.
const SettingInfo* FindSetting(std::string_view name);

// The name in .flaky.toml: "FLAKY_TESTS_AUTH_TOKEN" is `auth_token`.
std::string FileKey(const SettingInfo& setting);

// Where a value came from, the strongest first.
enum class Origin { kFlag, kEnvironment, kProjectFile, kUserFile, kDefault };

struct SettingValue {
  std::string text;
  Origin origin = Origin::kDefault;
  std::string where;  // for people: "--window", "/repo/.flaky.toml:3"; empty: the origin says it all
};

// A setting that cannot be used; what() names the setting, where its value stands, what is wrong and what is
// understood. The value of a secret is not in it.
class SettingError : public std::exception {
 public:
  explicit SettingError(std::string what) : what_(std::move(what)) {}
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::string what_;
};

// The settings in force: for each name the value of the strongest origin that gives one. A name that is not in the
// table is a programming error and throws std::logic_error.
class Settings {
 public:
  // Gives `value` to `name` unless a stronger origin already did; of one origin the later counts. An empty text counts
  // as not given, save for FLAKY_TESTS_PROJECT and the *_TABLE_PREFIX settings, where it means something.
  void Set(std::string_view name, SettingValue value);

  // Takes every FLAKY_TESTS_* variable of the table out of the environment that `get` reads (as std::getenv does). The
  // only place that names the process environment is cli/.
  void ReadEnvironment(const std::function<const char*(const char*)>& get);

  // The value given, or absent where only the default applies.
  std::optional<SettingValue> Given(std::string_view name) const;

  // The value in force, or the table's default; empty where that is only a description. The others throw SettingError
  // for a text that is not of the setting's kind: no whole number, out of range, not among the choices. Bool takes 1,
  // true, yes, on and 0, false, no, off.
  std::string Text(std::string_view name) const;
  int64_t Number(std::string_view name) const;
  bool Bool(std::string_view name) const;
  std::string Choice(std::string_view name) const;

  // Throws what reading the setting as its kind would throw.
  void Check(std::string_view name) const;

 private:
  std::map<std::string, SettingValue, std::less<>> values_;
};

// The beginning of a message about a given value: `FLAKY_TESTS_WINDOW (in /repo/.flaky.toml:3)`.
std::string Naming(std::string_view name, const SettingValue& value);

// Where state is kept: `$XDG_STATE_HOME/flaky`, else `$HOME/.local/state/flaky`, else `/tmp/flaky-<uid>`. Relative
// XDG_STATE_HOME counts as absent, as the XDG base directory specification has it. The recorder does the same.
std::string StateFolder(const std::function<const char*(const char*)>& get);

}  // namespace flaky

#endif  // FLAKY_SETTINGS_SETTINGS_H_
