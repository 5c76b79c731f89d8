#ifndef FLAKY_DELIVERY_DELIVERY_H_
#define FLAKY_DELIVERY_DELIVERY_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "settings/locations.h"
#include "stores/retry_store.h"

namespace flaky {

// What became of the records for the second store of a dual write.
struct DualSummary {
  int64_t runs = 0;                    // sent
  std::optional<std::string> trouble;  // for the user, one line: why the second store does not have all of them
};

struct DeliverySummary {
  int64_t runs = 0;      // delivered, completely or as further parts; in a dry run: that would be delivered
  int64_t parts = 0;     // of these runs
  int64_t running = 0;   // journals of processes that still run
  int64_t rejected = 0;  // journals or parts moved aside, with a reason
  int64_t kept = 0;      // runs left in the spool for the next delivery: read back different, or out of time
  bool locked = false;   // another process delivers: nothing was done here
  std::vector<std::string> messages;  // for the user, one line each
  DualSummary dual;                   // its trouble is one of the messages, and is not counted
};

struct DeliveryOptions {
  std::chrono::milliseconds wait{0};                           // for another delivery to end
  std::optional<std::chrono::steady_clock::time_point> until;  // no batch begins after it
  std::function<bool()> stop;                                  // asked between batches; true: begin no other one
  RetryPolicy retry;                                           // in addition to `until` and `stop`
  bool dry_run = false;                                        // only count what is ready
  std::string complete;                                        // see SpoolSource
  // If the store has not answered for this long, other programs skip it for a while (PauseWhileSilent); 0: never.
  std::chrono::milliseconds pause_after{0};
  bool patient = false;  // send to the second store of a dual write even if it gave trouble a moment ago
  std::function<void(const std::string& text)> debug;  // receives what only helps to debug; may be null

  bool IsOver() const { return (until && std::chrono::steady_clock::now() >= *until) || (stop && stop()); }
};

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

// The same in bounded time: waits up to `wait` for another delivery, and as long for a store that cannot be reached;
// and works no longer than FLAKY_TESTS_DELIVERY_TIMEOUT, except to finish a batch in flight. `options` says the rest.
DeliverySummary DeliverPending(const ResolvedSettings& resolved, std::chrono::milliseconds wait,
                               DeliveryOptions options = {});

}  // namespace flaky

#endif  // FLAKY_DELIVERY_DELIVERY_H_
