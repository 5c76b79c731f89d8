#ifndef FLAKY_RECORDER_SETTINGS_H_
#define FLAKY_RECORDER_SETTINGS_H_

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <system_error>

#include "warning.h"

// The environment variables that the recorder reads: once, when the test program starts, because tests change the
// environment. `flaky config` lists them too; a test of the project holds the two tables against each other.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

struct Setting {
  const char* name;
  std::int64_t default_value;  // of numbers
  std::int64_t min, max;       // of numbers, inclusive
};

inline constexpr Setting kDisable = {"FLAKY_TESTS_DISABLE", 0, 0, 1};  // also true, yes, on and false, no, off
inline constexpr Setting kSpool = {"FLAKY_TESTS_SPOOL", 0, 0, 0};
inline constexpr Setting kRunId = {"FLAKY_TESTS_RUN_ID", 0, 0, 0};
inline constexpr Setting kProject = {"FLAKY_TESTS_PROJECT", 0, 0, 0};
inline constexpr Setting kVariant = {"FLAKY_TESTS_VARIANT", 0, 0, 0};
inline constexpr Setting kFixture = {"FLAKY_TESTS_FIXTURE", 0, 0, 0};
inline constexpr Setting kMaxMessage = {"FLAKY_TESTS_MAX_MESSAGE", 65536, 1024, 16777216};  // bytes
inline constexpr Setting kDeliveryTimeout = {"FLAKY_TESTS_DELIVERY_TIMEOUT", 10, 0,
                                             3600};  // seconds; 0: do not deliver
inline constexpr Setting kProgram = {"FLAKY_TESTS_PROGRAM", 0, 0, 0};
inline constexpr Setting kLog = {"FLAKY_TESTS_LOG", 0, 0, 0};  // silent, error: no warning

inline constexpr Setting kSettings[] = {kDisable, kSpool,      kRunId,           kProject, kVariant,
                                        kFixture, kMaxMessage, kDeliveryTimeout, kProgram, kLog};

// The longest run id, project or variant that is taken. A longer one is not cut, for it would then mean something
// else.
inline constexpr std::size_t kLongestName = 1024;

// The variable's text, as long as the environment stays as it is; without data() where it is not set.
inline std::string_view TextOf(const Setting& setting) {
  const char* text = std::getenv(setting.name);
  return text == nullptr ? std::string_view() : std::string_view(text);
}

// As above, for a text that goes into the journal's header.
inline std::string_view NameOf(const Setting& setting, Warning& warning) {
  const std::string_view text = TextOf(setting);
  if (text.size() <= kLongestName) return text;
  warning.Add({setting.name, " is longer than 1024 bytes and not used"});
  return {};
}

// The variable's number, or its default where there is none or, with a warning, where it makes no sense.
inline std::int64_t NumberOf(const Setting& setting, Warning& warning) {
  const std::string_view text = TextOf(setting);
  if (text.empty()) return setting.default_value;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= setting.min && number <= setting.max) {
    return number;
  }
  char low[20], high[20], used[20];
  warning.Add({setting.name, " is \"", text.substr(0, 40), "\", which is no whole number from ",
               DecimalText(setting.min, low), " to ", DecimalText(setting.max, high), "; ",
               DecimalText(setting.default_value, used), " is used"});
  return setting.default_value;
}

// The variable's truth; its default as above.
inline bool TruthOf(const Setting& setting, Warning& warning) {
  const std::string_view text = TextOf(setting);
  if (text.empty()) return setting.default_value != 0;
  for (const std::string_view yes : {"1", "true", "yes", "on"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "false", "no", "off"}) {
    if (text == no) return false;
  }
  warning.Add({setting.name, " is \"", text.substr(0, 40), "\", which is neither 1 nor 0, and not used"});
  return setting.default_value != 0;
}

// A number that GoogleTest or the build system gives, which is not ours to complain about.
inline std::optional<std::int64_t> NaturalNumberIn(const char* name) {
  const char* const text = std::getenv(name);
  if (text == nullptr) return std::nullopt;
  const std::string_view digits(text);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number < 0) return std::nullopt;
  return number;
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_SETTINGS_H_
