// SPDX-License-Identifier: MIT
#include "delivery/quiet_delivery.h"

#include <chrono>
#include <string>
#include <utility>

#include "delivery/delivery_pause.h"
#include "settings/store_identity.h"

namespace flaky {
namespace {

// How long to wait for another delivery: not long, because that one delivers what is here as well. And for a store that
// cannot be reached.
constexpr std::chrono::milliseconds kQuietWait{1'000};

}  // namespace

std::optional<DeliverySummary> DeliverQuietly(const ResolvedSettings& resolved, DeliveryOptions options) {
  const Location& history = resolved.history.Get();
  const std::string store = StoreIdentity(history);
  const std::string& spool = resolved.spool.Get();
  if (IsDeliveryPaused(spool, store)) {
    if (options.debug) options.debug(history.display_name + " could not be reached a moment ago: nothing is delivered");
    return std::nullopt;
  }
  DeliverySummary summary;
  try {
    summary = DeliverPending(resolved, kQuietWait, std::move(options));
  } catch (const StoreError& error) {
    if (error.kind() == ErrorKind::kTransient) PauseDelivery(spool, store);
    throw;
  }
  ResumeDelivery(spool);
  return summary;
}

}  // namespace flaky
