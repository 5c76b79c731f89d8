// SPDX-License-Identifier: MIT
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "cli/doctor.h"
#include "cli/file_system.h"
#include "settings/settings_files.h"
#include "settings/unknown_variables.h"
#include "stores/schemes.h"

namespace flaky {
namespace {

constexpr char kCheck[] = "settings";

void ReadFile(Session& session, const std::filesystem::path& file, Origin origin, Findings& findings) {
  if (file.empty()) return;
  const char* home = GetEnvironment("HOME");
  try {
    ReadSettingsFile(file, origin, home == nullptr ? "" : home, session.settings);
  } catch (const SettingError& error) {
    findings.push_back({kCheck, Verdict::kProblem, error.what(),
                        "fix this: until then every command except `flaky run` refuses to work", ExitCode::kUsage});
  }
}

void CheckValues(const Settings& settings, Findings& findings) {
  for (const SettingInfo& info : SettingTable()) {
    try {
      settings.Check(info);
      if (const auto given = settings.Given(info)) CheckPlace(info, *given);
    } catch (const std::exception& error) {
      findings.push_back(
          {kCheck, Verdict::kProblem, error.what(), "`flaky config` shows where it comes from", ExitCode::kUsage});
    }
  }
}

void CheckUnwrapped(const Settings& settings, Findings& findings) {
  const std::string what = settings.Unwrapped();
  if (what.empty()) return;
  findings.push_back({kCheck, Verdict::kWarning, what, "remove them from the variable"});
}

void CheckNames(Findings& findings) {
  for (const auto& [name, meant] : UnknownVariables()) {
    findings.push_back({kCheck, Verdict::kWarning, name + " is set, but is not a setting of flaky",
                        meant.empty() ? "unset it; `flaky config` lists all settings" : "did you mean " + meant + "?"});
  }
}

// Warns about valid settings that a user sets for a while and easily forgets.
void CheckSwitches(const Settings& settings, Findings& findings) {
  const auto warn = [&](const std::string& found, const std::string& advice) {
    findings.push_back({kCheck, Verdict::kWarning, found, advice});
  };
  try {
    if (settings.Get(setting::kDisable)) {
      warn("FLAKY_TESTS_DISABLE is set: test programs record nothing", "unset it to record again");
    }
    if (settings.Get(setting::kDeliveryTimeout).count() == 0) {
      warn("FLAKY_TESTS_DELIVERY_TIMEOUT is 0: test programs deliver nothing by themselves",
           "run `flaky deliver` yourself, or unset it");
    }
  } catch (const SettingError&) {
    // CheckValues has said so.
  }
  const char* state = GetEnvironment("XDG_STATE_HOME");
  const char* home = GetEnvironment("HOME");
  if ((state == nullptr || *state != '/') && (home == nullptr || *home != '/')) {
    warn("HOME is not set: history and spool are in " + StateFolder(GetEnvironment) +
             ", which may be emptied when this machine restarts",
         "set HOME, or FLAKY_TESTS_SPOOL and the store");
  }
  const auto log_file = settings.Given(setting::kLogFile);
  if (!log_file || log_file->text.empty()) return;
  const std::string& log = log_file->text;
  const int file = OpenLogFile(log, 0);
  if (file >= 0) {
    ::close(file);
    return;
  }
  const int error = errno;
  const std::filesystem::path folder = std::filesystem::path(log).parent_path();
  if (error != ENOENT || !MayAccess(folder.empty() ? "." : folder, W_OK | X_OK)) {
    warn("FLAKY_TESTS_LOG_FILE names " + log + ", which cannot be written: " + WhyNoLogFile(error),
         "choose another file, or create its folder");
  }
}

// libpq ignores a password file that other users can read.
void CheckPasswordFile(const Settings& settings, Findings& findings) {
  const auto store = settings.Given(setting::kStore);
  const SchemeInfo* scheme = store ? FindScheme(store->text) : nullptr;
  if (scheme == nullptr || !scheme->uses_libpq) return;
  const char* named = GetEnvironment("PGPASSFILE");
  const char* home = GetEnvironment("HOME");
  if (named == nullptr && home == nullptr) return;
  const std::string file = named != nullptr ? named : std::string(home) + "/.pgpass";
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0 || (status.st_mode & (S_IRWXG | S_IRWXO)) == 0) return;
  findings.push_back({kCheck, Verdict::kWarning,
                      "other users may read the password file " + file + ", so libpq ignores it",
                      "run chmod 600 on it"});
}

}  // namespace

void CheckSettings(Session& session, Findings& findings) {
  const size_t before = findings.size();
  std::error_code no_folder;
  const std::filesystem::path folder = std::filesystem::current_path(no_folder);
  if (no_folder) {
    findings.push_back({kCheck, Verdict::kWarning, "cannot determine the current folder: " + no_folder.message(),
                        "change to a folder that exists"});
  } else {
    const ProjectFile project = FindProjectFile(folder);
    if (!project.left_out.empty()) {
      findings.push_back({kCheck, Verdict::kWarning, project.left_out, project.advice});
    }
    ReadFile(session, project.path, Origin::kProjectFile, findings);
  }
  ReadFile(session, UserSettingsFile(GetEnvironment), Origin::kUserFile, findings);
  CheckValues(session.settings, findings);
  CheckUnwrapped(session.settings, findings);
  CheckNames(findings);
  CheckSwitches(session.settings, findings);
  CheckPasswordFile(session.settings, findings);
  if (findings.size() > before) return;
  const auto given = std::ranges::count_if(
      SettingTable(), [&](const SettingInfo& info) { return session.settings.Given(info).has_value(); });
  findings.push_back({kCheck, Verdict::kFine,
                      given == 0 ? "none is set; the defaults are used"
                                 : std::to_string(given) + (given == 1 ? " is set" : " are set") +
                                       "; all are valid (`flaky config` lists them)"});
}

}  // namespace flaky
