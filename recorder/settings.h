// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_SETTINGS_H_
#define FLAKY_RECORDER_SETTINGS_H_

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

#include "environment.h"
#include "setting_text.h"
#include "warning.h"

// The environment variables that the recorder reads. They are read once, when the test program starts, because tests
// change the environment. `flaky config` lists them too; a test compares the two tables.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

struct Setting {
  const char* name;
  std::int64_t default_value;  // of numbers
  std::int64_t min, max;       // of numbers, inclusive
};

inline constexpr Setting kDisable = {"FLAKY_TESTS_DISABLE", 0, 0, 1};  // or true, yes, on, false, no, off
inline constexpr Setting kRecordArguments = {"FLAKY_TESTS_RECORD_ARGUMENTS", 1, 0, 1};
inline constexpr Setting kSpool = {"FLAKY_TESTS_SPOOL", 0, 0, 0};
inline constexpr Setting kStore = {"FLAKY_TESTS_STORE", 0, 0, 0};
inline constexpr Setting kDb = {"FLAKY_TESTS_DB", 0, 0, 0};
inline constexpr Setting kRunId = {"FLAKY_TESTS_RUN_ID", 0, 0, 0};
inline constexpr Setting kProject = {"FLAKY_TESTS_PROJECT", 0, 0, 0};
inline constexpr Setting kVariant = {"FLAKY_TESTS_VARIANT", 0, 0, 0};
inline constexpr Setting kFixture = {"FLAKY_TESTS_FIXTURE", 0, 0, 0};
inline constexpr Setting kMaxMessage = {"FLAKY_TESTS_MAX_MESSAGE", 65536, 1024, 16777216};  // bytes
inline constexpr Setting kDeliveryTimeout = {"FLAKY_TESTS_DELIVERY_TIMEOUT", 10, 0,
                                             3600};                                       // seconds; 0: do not deliver
inline constexpr Setting kDeliveryWait = {"FLAKY_TESTS_DELIVERY_WAIT", 100, 0, 3600000};  // milliseconds
inline constexpr Setting kProgram = {"FLAKY_TESTS_PROGRAM", 0, 0, 0};
inline constexpr Setting kLog = {"FLAKY_TESTS_LOG", 0, 0, 0};  // silent and error hide the warning

inline constexpr Setting kSettings[] = {kDisable,         kRecordArguments, kSpool,   kStore,   kDb,
                                        kRunId,           kProject,         kVariant, kFixture, kMaxMessage,
                                        kDeliveryTimeout, kDeliveryWait,    kProgram, kLog};

// Not a setting: what `flaky run` tells the processes under it. `PID-START` of that `flaky run`, above which no process
// looks for its ctest.
inline constexpr Setting kRunProcess = {"FLAKY_RUN_PROCESS", 0, 0, 0};

// The longest run id, project, variant or fixture that is used. A longer one is ignored, not cut, because a truncated
// name would name something else.
inline constexpr std::size_t kLongestName = 1024;

// Returns the variable's text, without what is around it (Unwrapped), and without data() if it is not set. Valid until
// the environment changes.
inline std::string_view TextOf(const Setting& setting) { return Unwrapped(Variable(setting.name)); }

// As TextOf, for the path of a file or folder. Returns an empty text for a URL.
inline std::string_view PathOf(const Setting& setting) {
  const std::string_view text = TextOf(setting);
  return LooksLikeAddress(text) ? std::string_view() : text;
}

// As TextOf, for a text that is written to the journal's header. Adds a warning if it is too long, or if it may be a
// secret in the wrong place.
inline std::string_view NameOf(const Setting& setting, Warning& warning) {
  const std::string_view text = TextOf(setting);
  if (text.size() > kLongestName) {
    warning.Add({"ignoring ", setting.name, ": longer than 1024 bytes"});
    return {};
  }
  if (!LooksLikeAddress(text)) return text;
  warning.Add({"ignoring ", setting.name, ": expected a name, not a URL, a connection string or a secret"});
  return {};
}

// Adds a warning for each variable with quotes, blanks or line ends around its text.
inline void NoteUnwrapped(Warning& warning) {
  for (const Setting& setting : kSettings) {
    if (TextOf(setting).size() == Variable(setting.name).size()) continue;
    warning.Add({setting.name, ": removed the quotes, blanks or line ends around the value"});
  }
}

// Returns the variable's number, or its default if it is not set. Adds a warning and returns the default if the text is
// invalid.
inline std::int64_t NumberOf(const Setting& setting, Warning& warning) {
  const std::string_view text = TextOf(setting);
  if (text.empty()) return setting.default_value;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= setting.min && number <= setting.max) {
    return number;
  }
  char low[20], high[20], used[20];
  // The text is not shown: it may be a secret in the wrong place.
  warning.Add({"invalid ", setting.name, "; expected a whole number from ", DecimalText(setting.min, low), " to ",
               DecimalText(setting.max, high), " (using ", DecimalText(setting.default_value, used), ")"});
  return setting.default_value;
}

// As NumberOf, for a boolean.
inline bool BoolOf(const Setting& setting, Warning& warning) {
  const std::string_view text = TextOf(setting);
  if (text.empty()) return setting.default_value != 0;
  for (const std::string_view yes : {"1", "true", "yes", "on"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "false", "no", "off"}) {
    if (text == no) return false;
  }
  warning.Add({"invalid ", setting.name, "; expected 1 or 0 (using ", setting.default_value != 0 ? "1" : "0", ")"});
  return setting.default_value != 0;
}

// Returns a number that GoogleTest or the build system has set. Returns nullopt without a warning if it is not set or
// invalid: reporting that is not the recorder's task.
inline std::optional<std::int64_t> NaturalNumberIn(const char* name) {
  const std::string_view digits = Variable(name);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number < 0) return std::nullopt;
  return number;
}

// Which of the processes of one MPI program this is, as its launcher says: mpirun, mpiexec, srun, jsrun, aprun, flux.
struct Rank {
  std::optional<std::int64_t> number, total;

  void Read() {
    struct Variables {
      const char *number, *total;  // total: null if the launcher does not say it
    };
    // The variables of Slurm come last, because a batch job has them too, outside of its steps.
    constexpr Variables kLaunchers[] = {{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
                                        {"MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"},
                                        {"PMIX_RANK", nullptr},
                                        {"PMI_RANK", "PMI_SIZE"},
                                        {"PALS_RANKID", nullptr},
                                        {"JSM_NAMESPACE_RANK", "JSM_NAMESPACE_SIZE"},
                                        {"FLUX_TASK_RANK", "FLUX_JOB_SIZE"},
                                        {"ALPS_APP_PE", nullptr},
                                        {"SLURM_PROCID", "SLURM_STEP_NUM_TASKS"}};
    for (const Variables& launcher : kLaunchers) {
      number = NaturalNumberIn(launcher.number);
      if (!number) continue;
      if (launcher.total != nullptr) total = NaturalNumberIn(launcher.total);
      return;
    }
  }
};

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_SETTINGS_H_
