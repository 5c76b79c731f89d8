// SPDX-License-Identifier: MIT
#ifndef FLAKY_DELIVERY_DELIVERY_H_
#define FLAKY_DELIVERY_DELIVERY_H_

#include <chrono>

#include "delivery/delivery_options.h"
#include "settings/locations.h"

namespace flaky {

// Delivers the pending runs in the spool to the history's store, verified like every copy: a journal is removed only
// after its run was read back from the store and the store held all of it. Opens no store if there is nothing to
// deliver, and takes no lock if the spool is empty. Also delivers what arrives while it works, so a process that finds
// the lock taken need not wait. Throws StoreError if the spool or the store cannot be used; everything undelivered is
// then still in the spool. Throws SettingError.
//
// If there is a second store (FLAKY_TESTS_DUAL_*), the delivered runs then go there, in the remaining time and without
// the spool's lock. Problems with that store are reported in the summary only; the runs that it does not have yet stay
// in the spool (delivery/dual_delivery.h).
DeliverySummary Deliver(const ResolvedSettings& resolved, const DeliveryOptions& options);

// The same in bounded time: waits up to `wait` for another delivery, or longer if `options` says so, and up to `wait`
// for a store that cannot be reached; and works no longer than FLAKY_TESTS_DELIVERY_TIMEOUT, except to finish a batch
// in flight. `options` says the rest.
DeliverySummary DeliverPending(const ResolvedSettings& resolved, std::chrono::milliseconds wait,
                               DeliveryOptions options = {});

}  // namespace flaky

#endif  // FLAKY_DELIVERY_DELIVERY_H_
