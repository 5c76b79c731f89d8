// SPDX-License-Identifier: MIT
#ifndef FLAKY_DELIVERY_DELIVERY_OPTIONS_H_
#define FLAKY_DELIVERY_DELIVERY_OPTIONS_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "stores/retry_store.h"

namespace flaky {

// What became of the records for the second store of a dual write.
struct DualSummary {
  int64_t runs = 0;                    // sent
  std::optional<std::string> trouble;  // for the user, one line: why the second store does not have all of them
};

struct DeliverySummary {
  int64_t runs = 0;       // delivered, completely or as further parts; in a dry run: that would be delivered
  int64_t parts = 0;      // of these runs
  int64_t running = 0;    // journals of processes that still run
  int64_t unknown = 0;    // journals of processes of which it is not known whether they still run
  int64_t rejected = 0;   // journals or parts moved aside, with a reason
  int64_t kept = 0;       // runs left in the spool for the next delivery: read back different, or out of time
  int64_t unread = 0;     // journals and parts left in the spool because they could not be opened at this time
  int64_t elsewhere = 0;  // runs left in the spool because they are for the stores of another project
  bool locked = false;    // another process delivers: nothing was done here
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
  // This ctest's run is for the stores of this delivery, in whichever folders its tests ran (CTestGroup without a
  // fixture); empty: none.
  std::string own_ctest;
  // If the store has not answered for this long, other programs skip it for a while (PauseWhileSilent); 0: never.
  std::chrono::milliseconds pause_after{0};
  bool patient = false;  // send to the second store of a dual write even if it gave trouble a moment ago
  // Called once if another delivery has been waited for during a second.
  std::function<void()> on_long_wait;
  std::function<void(const std::string& text)> debug;  // receives what only helps to debug; may be null

  bool IsOver() const { return (until && std::chrono::steady_clock::now() >= *until) || (stop && stop()); }
};

}  // namespace flaky

#endif  // FLAKY_DELIVERY_DELIVERY_OPTIONS_H_
