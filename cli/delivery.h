#ifndef FLAKY_CLI_DELIVERY_H_
#define FLAKY_CLI_DELIVERY_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/session.h"

namespace flaky {

struct DeliveryAccount {
  int64_t runs = 0;      // delivered, in whole or as further parts
  int64_t running = 0;   // journals of processes that still run
  int64_t rejected = 0;  // moved aside, with a reason
  bool locked = false;   // another process delivers: nothing was done here
  std::vector<std::string> messages;  // for the user, one line each
};

// Delivers what is pending in the spool to the store that the settings name, verified as every copy is. Waits up to `wait`
// for another delivery to end. Opens no store when there is nothing to deliver. Throws StoreError when the store cannot be
// used: then everything undelivered is still in the spool.
DeliveryAccount DeliverPending(const Session& session, std::chrono::milliseconds wait);

}  // namespace flaky

#endif  // FLAKY_CLI_DELIVERY_H_
