// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_DELIVERY_REPORT_H_
#define FLAKY_CLI_DELIVERY_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "cli/exit_code.h"
#include "delivery/delivery.h"

// What a delivery's summary means for the user.
namespace flaky {

// Returns the program's exit code.
ExitCode CodeOf(const DeliverySummary& summary);

// Returns the first message and how many more there are, in one line, or nullopt without messages.
std::optional<std::string> OneLineOf(const DeliverySummary& summary);

// Returns the phrase for test programs of which it is not known whether they run. Precondition: at least one.
std::string UnknownPhrase(int64_t count);

}  // namespace flaky

#endif  // FLAKY_CLI_DELIVERY_REPORT_H_
