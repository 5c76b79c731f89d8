#ifndef FLAKY_DELIVERY_DELIVERY_H_
#define FLAKY_DELIVERY_DELIVERY_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/session.h"

namespace flaky {

// What became of the records that wait for the second store of a dual write.
struct DualSummary {
  int64_t runs = 0;                    // sent
  std::optional<std::string> trouble;  // for the user, one line: why not all of them are there
};

struct DeliverySummary {
  int64_t runs = 0;      // delivered, in whole or as further parts; in a dry run: that would be
  int64_t parts = 0;     // of these runs
  int64_t running = 0;   // journals of processes that still run
  int64_t rejected = 0;  // journals or parts moved aside, with a reason
  int64_t kept = 0;      // runs left in the spool for another try: not found as they were sent, or no time was left
  bool locked = false;   // another process delivers: nothing was done here
  std::vector<std::string> messages;  // for the user, one line each
  DualSummary dual;                   // its trouble is among the messages, and in none of the counts
};

struct DeliveryOptions {
  std::chrono::milliseconds wait{0};                           // for another delivery to end
  std::optional<std::chrono::steady_clock::time_point> until;  // no batch is begun after it
  std::function<bool()> stop;                                  // asked between batches; true: begin no other
  RetryPolicy retry;                                           // besides `until` and `stop`
  bool dry_run = false;                                        // only count what is ready
  std::string complete;                                        // as SpoolSource has it
  // A store that has not said a word for so long is left alone by others (PauseWhileSilent); 0: never.
  std::chrono::milliseconds pause_after{0};
  bool patient = false;  // with the second store of a dual write, too: ask it though it gave trouble a moment ago

  bool IsOver() const { return (until && std::chrono::steady_clock::now() >= *until) || (stop && stop()); }
};

// Delivers what is pending in the spool to the store that the settings name, verified as every copy is: a journal is
// removed after its run was read back from the store and held all of it, and not before. Opens no store when there is
// nothing to deliver, and takes no lock when the spool is empty. What arrives while it works is delivered as well, so
// that whoever finds the lock taken need not wait. Throws StoreError when the spool or the store cannot be used: then
// everything undelivered is still in the spool. Throws SettingError.
//
// With a second store (FLAKY_TESTS_DUAL_*) what was delivered goes there next, in what is left of the time and without
// the spool's lock; whatever is wrong with that store is in the account alone, and what it lacks waits in the spool
// (delivery/dual_delivery.h).
DeliverySummary Deliver(const Session& session, const DeliveryOptions& options);

// The same, waiting up to `wait` for another delivery, and up to it for a store that cannot be reached, and working no
// longer than FLAKY_TESTS_DELIVERY_TIMEOUT, a batch in flight excepted.
DeliverySummary DeliverPending(const Session& session, std::chrono::milliseconds wait);

}  // namespace flaky

#endif  // FLAKY_DELIVERY_DELIVERY_H_
