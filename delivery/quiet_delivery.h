#ifndef FLAKY_DELIVERY_QUIET_DELIVERY_H_
#define FLAKY_DELIVERY_QUIET_DELIVERY_H_

#include <optional>
#include <string>

#include "cli/exit_code.h"
#include "cli/session.h"
#include "delivery/delivery.h"

namespace flaky {

struct QuietDelivery {
  ExitCode code = ExitCode::kOk;
  std::optional<std::string> message;  // one line, where there is something to be said
};

// A delivery beside somebody's tests: in bounded time (DeliverPending), and not at all for a minute after the store
// could not be reached. That another process is delivering is no news: it takes along what is here, or the next one
// does. Throws as Deliver.
QuietDelivery DeliverQuietly(const Session& session);

// What the account means for the one who called the program.
ExitCode CodeOf(const DeliverySummary& account);

}  // namespace flaky

#endif  // FLAKY_DELIVERY_QUIET_DELIVERY_H_
