#ifndef FLAKY_CLI_OUTPUT_TIME_TEXT_H_
#define FLAKY_CLI_OUTPUT_TIME_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "history/time.h"

// Times as users type and read them.
namespace flaky {

// Reads `2026-03-01` (its beginning, in UTC), a whole time as Timestamp::Parse does, or an age before `now`: `36h`,
// `7d`, `2w`. Returns nullopt for any other text.
std::optional<Timestamp> ParseTime(std::string_view text, Timestamp now);

// Returns `2026-03-01 12:30:05`, in UTC.
std::string TimeText(Timestamp at);

// Returns `12 ms`, `1.25 s`, `3m 05s` or `2h 07m`.
std::string Duration(int64_t milliseconds);

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_TIME_TEXT_H_
