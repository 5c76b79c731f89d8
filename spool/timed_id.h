// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_TIMED_ID_H_
#define FLAKY_SPOOL_TIMED_ID_H_

#include <string>
#include <string_view>

#include "history/time.h"

namespace flaky {

// Returns the UUID of version 7 (RFC 9562) with this time, as 32 hexadecimal digits without hyphens. The other digits
// are those of `digits`, 32 hexadecimal ones, except for the version and the variant. Ids of one time are next to each
// other in an index, and the ids of a month are a range of the table.
std::string TimedId(Timestamp at, std::string_view digits);

}  // namespace flaky

#endif  // FLAKY_SPOOL_TIMED_ID_H_
