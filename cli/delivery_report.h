#ifndef FLAKY_CLI_DELIVERY_REPORT_H_
#define FLAKY_CLI_DELIVERY_REPORT_H_

#include <optional>
#include <string>

#include "cli/exit_code.h"
#include "delivery/delivery.h"

// What a delivery's summary means for the user.
namespace flaky {

// Returns the program's exit code.
ExitCode CodeOf(const DeliverySummary& summary);

// Returns the first message and how many more there are, in one line; nullopt if there is none.
std::optional<std::string> OneLineOf(const DeliverySummary& summary);

}  // namespace flaky

#endif  // FLAKY_CLI_DELIVERY_REPORT_H_
