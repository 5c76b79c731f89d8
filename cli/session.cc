// SPDX-License-Identifier: MIT
#include "cli/session.h"

#include <chrono>
#include <exception>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "cli/delivery_report.h"
#include "cli/output/interrupt.h"
#include "cli/output/numbers.h"
#include "cli/output/time_text.h"
#include "delivery/background_trouble.h"
#include "settings/settings_files.h"

namespace flaky {
namespace {

// How long a command that only reads waits for a store to which it cannot deliver.
constexpr std::chrono::milliseconds kDeliveryWait{2000};

// A wait before another try that is worth a message; if waits are shorter, every kQuietTries-th try is.
constexpr std::chrono::milliseconds kQuietRetry{1000};
constexpr int64_t kQuietTries = 6;

// PostgreSQL's code for a write that a server which only reads has refused.
constexpr char kReadOnlyServer[] = "25006";

void ReadFiles(Session& session) {
  Settings& settings = session.settings;
  std::error_code no_folder;
  const std::filesystem::path folder = std::filesystem::current_path(no_folder);
  const char* home_text = GetEnvironment("HOME");
  const std::filesystem::path home = home_text == nullptr ? "" : home_text;
  const ProjectFile project = FindProjectFile(folder);
  if (!project.left_out.empty()) session.left_out = project.left_out + "; " + project.advice;
  if (!project.path.empty()) ReadSettingsFile(project.path, Origin::kProjectFile, home, settings);
  if (const auto file = UserSettingsFile(GetEnvironment); !file.empty()) {
    ReadSettingsFile(file, Origin::kUserFile, home, settings);
  }
}

// Prints why an earlier delivery in the background failed, once.
void ReportTrouble(const Session& session) {
  const auto trouble = ReadTrouble(session.resolved.spool.Get());
  if (!trouble) return;
  Log(session.log, LogLevel::kWarn,
      "a delivery in the background failed at " + TimeText(trouble->time) + " UTC: " + trouble->text);
  ForgetTrouble(session.resolved.spool.Get(), *trouble);
}

// Under `flaky run` only test programs do not deliver.
void RestoreTimeout(Settings& settings) {
  const auto given = settings.Given(setting::kDeliveryTimeout);
  const char* const timeout = GetEnvironment(kRunTimeout);
  if (!given || given->text != "0" || timeout == nullptr) return;
  settings.Set(setting::kDeliveryTimeout, {timeout, Origin::kEnvironment, {}});
}

}  // namespace

void LoadSettings(Session& session) {
  try {
    session.settings.ReadEnvironment(GetEnvironment);
    RestoreTimeout(session.settings);
    MarkSettingsOfRun(GetEnvironment, session.settings);
    ReadFiles(session);
  } catch (const SettingError&) {
    ApplySettings(session);
    throw;
  }
  ApplySettings(session);
  // No reason to refuse work, or to lose what is being delivered.
  for (const SettingInfo& info : {SettingInfo(setting::kLog), SettingInfo(setting::kLogFile)}) {
    try {
      session.settings.Check(info);
    } catch (const SettingError& error) {
      Log(session.log, LogLevel::kWarn, error.what());
    }
  }
}

std::vector<std::string> NotesOnSettings(const Session& session) {
  std::vector<std::string> notes;
  for (const SettingInfo& info : {SettingInfo(setting::kProject), SettingInfo(setting::kRunId),
                                  SettingInfo(setting::kVariant), SettingInfo(setting::kFixture)}) {
    try {
      session.settings.Check(info);
    } catch (const SettingError& error) {
      notes.push_back(std::string(error.what()) + "; it counts as not set");
    }
  }
  if (std::string unwrapped = session.settings.Unwrapped(); !unwrapped.empty()) notes.push_back(std::move(unwrapped));
  return notes;
}

void ApplySettings(Session& session) {
  session.resolved = Resolve(session.settings);
  session.log = Logger(session.err, session.settings);
}

DeliveryOptions DeliveryFor(const Session& session) {
  DeliveryOptions options;
  options.retry = Retrying(session);
  options.debug = [&session](const std::string& text) { Log(session.log, LogLevel::kDebug, text); };
  return options;
}

void DeliverBeforeReading(Session& session) {
  try {
    // The delivery of a test program that has ended may still go on.
    DeliveryOptions options = DeliveryFor(session);
    const std::chrono::seconds longest = session.resolved.delivery_timeout.Get();
    options.wait = longest;
    options.on_long_wait = [&] {
      Log(session.log, LogLevel::kWarn,
          "waiting for another process that is delivering, at most " + std::to_string(longest.count()) + " s");
    };
    const DeliverySummary summary = DeliverPending(session.resolved, kDeliveryWait, std::move(options));
    ReportTrouble(session);
    for (const std::string& message : summary.messages) Log(session.log, LogLevel::kWarn, message);
    if (summary.unknown > 0) {
      Log(session.log, LogLevel::kWarn, UnknownPhrase(summary.unknown) + "; their results may be missing here");
    }
    if (summary.locked) {
      Log(session.log, LogLevel::kWarn, "another process is delivering; the latest runs may be missing here");
    }
    Log(session.log, LogLevel::kDebug,
        "delivered " + std::to_string(summary.runs) + " runs, " + std::to_string(summary.running) +
            " test programs are still running");
  } catch (const StoreError& error) {
    // OpenHistory says that this is a standby, except for a project of Supabase, which does not tell. A delivery to the
    // primary brings what waits.
    const bool is_standby =
        error.vendor_code() == kReadOnlyServer && session.resolved.history.Get().scheme != "supabase";
    Log(session.log, is_standby ? LogLevel::kDebug : LogLevel::kWarn,
        std::string("recent results could not be delivered: ") + error.what());
  } catch (const std::exception& error) {
    Log(session.log, LogLevel::kWarn, std::string("recent results could not be delivered: ") + error.what());
  }
}

RetryPolicy Retrying(const Session& session) {
  RetryPolicy policy;
  policy.stop = InterruptGuard::Seen;
  policy.on_retry = [&session](const StoreError& error, std::chrono::milliseconds wait, int64_t tries) {
    Log(session.log, wait < kQuietRetry && tries % kQuietTries != 0 ? LogLevel::kDebug : LogLevel::kWarn,
        std::string(error.what()) + "; trying again in " + Decimals(std::chrono::duration<double>(wait).count(), 1) +
            " s");
  };
  return policy;
}

void ReportWarnings(const Session& session, const Store& store) {
  for (const std::string& warning : store.warnings()) Log(session.log, LogLevel::kWarn, warning);
}

std::unique_ptr<Store> OpenHistory(Session& session) {
  const Location& location = session.resolved.history.Get();
  Log(session.log, LogLevel::kDebug, "reading " + location.display_name);
  DeliverBeforeReading(session);
  std::unique_ptr<Store> store = OpenStore(location, OpenMode::kRead, Retrying(session));
  ReportWarnings(session, *store);
  return store;
}

}  // namespace flaky
