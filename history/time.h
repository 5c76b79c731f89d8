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

// A moment in UTC, in microseconds since 1970-01-01T00:00:00Z, years 0000 to 9999. Microseconds are what every store
// can hold.
struct Timestamp {
  int64_t micros = 0;

  auto operator<=>(const Timestamp&) const = default;

  // The first and the last moment of the years 0000 to 9999.
  static const Timestamp kMin, kMax;

  // Reads ISO 8601 as the stores and the npm packages write it: `YYYY-MM-DD`, then `T` or a blank, `HH:MM:SS`, up to
  // nine fraction digits (beyond the sixth they are dropped), then `Z`, `+HH`, `+HHMM`, `+HH:MM` or the same with `-`.
  // A missing zone is UTC. Absent when the text is anything else, 30 February included.
  static std::optional<Timestamp> Parse(std::string_view text);

  static Timestamp Now();

  // `YYYY-MM-DDTHH:MM:SS.mmmZ`, with six fraction digits where there are microseconds. In this form text order is time
  // order among timestamps of equal length, and Parse gives the same value back.
  std::string ToString() const;

  // `YYYY-MM-DD`.
  std::string Date() const;

  constexpr Timestamp operator+(int64_t micros_more) const { return {micros + micros_more}; }
  constexpr Timestamp operator-(int64_t micros_less) const { return {micros - micros_less}; }
};

inline constexpr Timestamp Timestamp::kMin{-62'167'219'200 * kMicrosPerSecond};
inline constexpr Timestamp Timestamp::kMax{253'402'300'800 * kMicrosPerSecond - 1};

}  // namespace flaky

#endif  // FLAKY_HISTORY_TIME_H_
