// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_OUTPUT_EARLY_END_TEXT_H_
#define FLAKY_CLI_OUTPUT_EARLY_END_TEXT_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "history/early_end.h"
#include "history/run.h"

namespace flaky {

// Returns what the parts say about what ended early.
std::vector<EarlyEnd> EarlyEndsOf(std::span<const Part> parts);

// Returns "Suite.Test" or, between tests, the program's name.
std::string EarlyEndName(const EarlyEnd& end);

// Returns a phrase such as "interrupted by SIGINT".
std::string EarlyEndPhrase(const EarlyEnd& end);

// Returns what to say instead of a status about what has ended without one: `interrupted`, or `ended early` if it is
// not known what ended it. Returns nullopt for anything else.
std::optional<std::string> EarlyStatus(const Account& account, std::span<const Part> parts);

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_EARLY_END_TEXT_H_
