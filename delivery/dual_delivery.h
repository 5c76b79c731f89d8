// SPDX-License-Identifier: MIT
#ifndef FLAKY_DELIVERY_DUAL_DELIVERY_H_
#define FLAKY_DELIVERY_DUAL_DELIVERY_H_

#include "delivery/delivery_options.h"
#include "settings/locations.h"

// The second store of a dual write (FLAKY_TESTS_DUAL_*): everything that is delivered to the first store goes there,
// too. Records for it stay in the spool (spool/dual_queue.h) until it has them, no matter how long it is unreachable
// and whether dual write is switched off in between.
namespace flaky {

// Sends the waiting records, in order, within the options' time. Skips a store that gave trouble within the last minute
// unless the options are patient. Opens nothing if no record waits. Never throws: every problem is in the summary, and
// is noted for `flaky dual status`.
//
// If the settings have changed and the first store is not the one that got the waiting records, it gets them before the
// second store does. So the user may exchange the two at any time.
DualSummary SendToSecond(const ResolvedSettings& resolved, const DeliveryOptions& options);

}  // namespace flaky

#endif  // FLAKY_DELIVERY_DUAL_DELIVERY_H_
