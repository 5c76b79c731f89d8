// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_REDACTED_H_
#define FLAKY_STORES_REDACTED_H_

#include <string>
#include <string_view>

#include "stores/schemes.h"

// The parts of a store's address that may be shown on a terminal, in a log or in an error.
namespace flaky {

// What is shown of an address that is not understood as a whole.
inline constexpr std::string_view kNotShown = "(address not shown)";

// Returns an address in the form in which it may be shown. Of a URL and of libpq's `keyword=value …` (PostgreSQL's
// documentation, "Keyword/Value Connection Strings"), only what names the server and the database is shown, and nothing
// unless all of it has the usual form: a part of a password may be in any other part. What is not shown is kept out of
// all later messages (KeepOutOfMessages).
std::string Redacted(const SchemeInfo& scheme, std::string_view address);

// Returns true if an address contains a password or token, in a name or value of any spelling. The user of a URL for
// libpq does not count.
bool HoldsSecret(const SchemeInfo& scheme, std::string_view address);

// Returns what of an address identifies the place, for comparing places: the server, the user's role and the database,
// all options that are not secret, or the path of a file. It has neither a password nor a token. Two addresses of one
// place may give two texts. Returns an empty text if an address cannot be used as one.
std::string PlaceIn(const SchemeInfo& scheme, std::string_view address);

}  // namespace flaky

#endif  // FLAKY_STORES_REDACTED_H_
