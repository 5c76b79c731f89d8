#ifndef FLAKY_STORES_REDACTED_H_
#define FLAKY_STORES_REDACTED_H_

#include <string>
#include <string_view>

// What of a location may be shown to anybody: on a terminal, in a log, in an error.
namespace flaky {

// A path or URL: without the password of a URL and without what stands behind its `?`, where passwords and tokens may
// be, too; control characters as `\x1b`.
std::string Redacted(std::string_view text);

// libpq's `keyword=value …` (PostgreSQL's documentation, "Keyword/Value Connection Strings"): of the keywords only
// those that say where the server is and who asks.
std::string RedactedSettings(std::string_view settings);

// Whether an address, a URL or libpq's settings, holds a password or token.
bool HoldsSecret(std::string_view address);

}  // namespace flaky

#endif  // FLAKY_STORES_REDACTED_H_
