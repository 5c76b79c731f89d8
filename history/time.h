// SPDX-License-Identifier: MIT
#ifndef FLAKY_HISTORY_TIME_H_
#define FLAKY_HISTORY_TIME_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flaky {

inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

// A time in UTC, in microseconds since 1970-01-01T00:00:00Z, in the years 0000 to 9999. Every store can hold
// microseconds.
struct Timestamp {
  int64_t micros = 0;

  auto operator<=>(const Timestamp&) const = default;

  // The first and the last time in the years 0000 to 9999.
  static const Timestamp kMin, kMax;

  // Parses ISO 8601 as the stores and the npm packages write it: `YYYY-MM-DD`, then `T` or a blank, `HH:MM:SS`, up to
  // nine fraction digits (those after the sixth are dropped), then `Z`, `+HH`, `+HHMM`, `+HH:MM` or the same with `-`.
  // A missing zone means UTC. Returns nullopt for any other text, including 30 February.
  static std::optional<Timestamp> Parse(std::string_view text);

  static Timestamp Now();

  // Returns `YYYY-MM-DDTHH:MM:SS.mmmZ`, with six fraction digits if the time is not a whole number of milliseconds.
  // Texts of equal length sort in order of time, and Parse returns the same value again.
  std::string ToString() const;

  // Returns `YYYY-MM-DD`.
  std::string Date() const;

  constexpr Timestamp operator+(int64_t micros_more) const { return {micros + micros_more}; }
  constexpr Timestamp operator-(int64_t micros_less) const { return {micros - micros_less}; }
};

inline constexpr Timestamp Timestamp::kMin{-62'167'219'200 * kMicrosPerSecond};
inline constexpr Timestamp Timestamp::kMax{253'402'300'800 * kMicrosPerSecond - 1};

}  // namespace flaky

#endif  // FLAKY_HISTORY_TIME_H_
