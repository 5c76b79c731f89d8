#ifndef FLAKY_DELIVERY_DUAL_DELIVERY_H_
#define FLAKY_DELIVERY_DUAL_DELIVERY_H_

#include "delivery/delivery.h"

// The second store of a dual write (FLAKY_TESTS_DUAL_*): what is delivered to the first goes to it as well. Records for
// it wait in the spool (spool/dual_queue.h) until it has them, however long it is away and whether dual write is on
// or off meanwhile.
namespace flaky {

// Sends what waits, in order, within the options' time. One that gave trouble within the last minute is left alone
// unless the options are patient. Opens nothing when nothing waits. Throws nothing: all trouble is in the account, and
// is noted for `flaky dual status`.
//
// Where the settings have changed and the first store is not the one that got the waiting records, it gets them before
// the second one does: so the two may be exchanged at any moment.
DualSummary SendToSecond(const Session& session, const DeliveryOptions& options);

}  // namespace flaky

#endif  // FLAKY_DELIVERY_DUAL_DELIVERY_H_
