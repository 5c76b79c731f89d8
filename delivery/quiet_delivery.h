#ifndef FLAKY_DELIVERY_QUIET_DELIVERY_H_
#define FLAKY_DELIVERY_QUIET_DELIVERY_H_

#include <optional>

#include "delivery/delivery.h"

namespace flaky {

// A delivery that runs next to a user's tests: in bounded time (DeliverPending), and skipped for a minute after the
// store could not be reached; then it returns nullopt. If another process is delivering (DeliverySummary::locked),
// there is nothing to report: that process or the next delivery picks up what is here. Throws as Deliver does.
std::optional<DeliverySummary> DeliverQuietly(const ResolvedSettings& resolved, DeliveryOptions options);

}  // namespace flaky

#endif  // FLAKY_DELIVERY_QUIET_DELIVERY_H_
