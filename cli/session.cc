#include "cli/session.h"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/output/interrupt.h"
#include "cli/output/log.h"
#include "cli/output/numbers.h"
#include "delivery/delivery.h"
#include "settings/project_folder.h"
#include "settings/settings_files.h"
#include "settings/store_pair.h"
#include "settings/suggestions.h"
#include "spool/spool_files.h"
#include "stores/redacted.h"
#include "stores/schemes.h"

namespace flaky {
namespace {

// How long a command that only wants to read waits for another process that is delivering.
constexpr std::chrono::milliseconds kDeliveryWait{2000};

// A wait before another try that is worth a message; and where waits are shorter, every so many tries are.
constexpr std::chrono::milliseconds kQuietRetry{1000};
constexpr int64_t kQuietTries = 6;

}  // namespace

void LoadSettings(Session& session) {
  session.settings.ReadEnvironment(GetEnvironment);
  std::error_code no_folder;
  const std::filesystem::path folder = std::filesystem::current_path(no_folder);
  const char* home_text = GetEnvironment("HOME");
  const std::filesystem::path home = home_text == nullptr ? "" : home_text;
  if (const auto file = ProjectSettingsFile(folder); !file.empty()) {
    ReadSettingsFile(file, Origin::kProjectFile, home, session.settings);
  }
  if (const auto file = UserSettingsFile(GetEnvironment); !file.empty()) {
    ReadSettingsFile(file, Origin::kUserFile, home, session.settings);
  }
  try {
    session.settings.Check("FLAKY_TESTS_LOG");
  } catch (const SettingError& error) {
    Log(session, LogLevel::kWarn, error.what());  // no reason to refuse work, or to lose what is being delivered
  }
}

void DeliverBeforeReading(Session& session) {
  try {
    const DeliverySummary account = DeliverPending(session, kDeliveryWait);
    for (const std::string& message : account.messages) Log(session, LogLevel::kWarn, message);
    if (account.locked) {
      Log(session, LogLevel::kWarn, "another process is delivering; the latest runs may be missing here");
    }
    Log(session, LogLevel::kDebug,
        "delivered " + std::to_string(account.runs) + " runs, " + std::to_string(account.running) +
            " test programs are still running");
  } catch (const std::exception& error) {
    Log(session, LogLevel::kWarn, std::string("recent results could not be delivered: ") + error.what());
  }
}

RetryPolicy Retrying(const Session& session) {
  RetryPolicy policy;
  policy.stop = InterruptGuard::Seen;
  policy.on_retry = [&session](const StoreError& error, std::chrono::milliseconds wait, int64_t tries) {
    Log(session, wait < kQuietRetry && tries % kQuietTries != 0 ? LogLevel::kDebug : LogLevel::kWarn,
        std::string(error.what()) + "; trying again in " + Decimals(std::chrono::duration<double>(wait).count(), 1) +
            " s");
  };
  return policy;
}

std::unique_ptr<Store> OpenForWriting(const Location& location, OpenMode mode, RetryPolicy policy) {
  const std::string file = DefaultHistoryFile();
  if (SchemeOf(location.scheme).is_file && location.address.Reveal() == file &&
      !MakePrivateFolders(std::filesystem::path(file).parent_path())) {
    throw StoreError(ErrorKind::kMissing, location.display_name, "make its folder", "",
                     std::generic_category().message(errno));
  }
  return OpenStore(location, mode, std::move(policy));
}

std::unique_ptr<Store> OpenHistory(Session& session) {
  const Location location = HistoryLocation(session.settings);
  Log(session, LogLevel::kDebug, "reading " + location.display_name);
  DeliverBeforeReading(session);
  return OpenStore(location, OpenMode::kRead, Retrying(session));
}

}  // namespace flaky
