// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_REDACTED_H_
#define FLAKY_STORES_REDACTED_H_

#include <string>
#include <string_view>

// The parts of a location that may be shown on a terminal, in a log or in an error.
namespace flaky {

// Returns a path or URL without the password of the URL and without what follows its `?`, which may contain passwords
// and tokens, too. Control characters become `\x1b`.
std::string Redacted(std::string_view text);

// Returns libpq's `keyword=value …` (PostgreSQL's documentation, "Keyword/Value Connection Strings") with only those
// keywords that name the server and the user.
std::string RedactedSettings(std::string_view settings);

// Returns true if an address (a URL or libpq's settings) contains a password or token.
bool HoldsSecret(std::string_view address);

}  // namespace flaky

#endif  // FLAKY_STORES_REDACTED_H_
