#include "delivery/quiet_delivery.h"

#include <chrono>

#include "cli/output/log.h"
#include "cli/output/numbers.h"
#include "delivery/delivery_pause.h"

namespace flaky {
namespace {

// How long another delivery is waited for: not long, as that one takes along what is here.
constexpr std::chrono::milliseconds kQuietWait{1'000};

}  // namespace

QuietDelivery DeliverQuietly(const Session& session) {
  const std::string spool = SpoolFolder(session.settings);
  const std::string store = HistoryLocation(session.settings).display_name;
  if (IsDeliveryPaused(spool, store)) {
    Log(session, LogLevel::kDebug, store + " could not be reached a moment ago: nothing is delivered");
    return {};
  }
  DeliverySummary account;
  try {
    account = DeliverPending(session, kQuietWait);
  } catch (const StoreError& error) {
    if (error.kind() == ErrorKind::kTransient) PauseDelivery(spool, store);
    throw;
  }
  ResumeDelivery(spool);
  QuietDelivery delivery;
  if (!account.locked) delivery.code = CodeOf(account);
  if (account.messages.empty()) return delivery;
  delivery.message = account.messages.front();
  if (const auto more = static_cast<int64_t>(account.messages.size()) - 1; more > 0) {
    *delivery.message += " (and " + Counted(more, "message") + " more)";
  }
  return delivery;
}

ExitCode CodeOf(const DeliverySummary& account) {
  if (account.rejected > 0 || account.kept > 0) return ExitCode::kPartial;
  return account.locked ? ExitCode::kLocked : ExitCode::kOk;
}

}  // namespace flaky
