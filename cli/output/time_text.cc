#include "cli/output/time_text.h"

#include <array>
#include <charconv>
#include <cstdio>

namespace flaky {
namespace {

constexpr int64_t kMicrosPerHour = 3600 * kMicrosPerSecond;
constexpr int64_t kLongestAge = 100'000;  // of any unit: longer than any history, and far from the year 0

std::optional<int64_t> ParseAge(std::string_view text) {
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || end - stopped != 1 || number < 0 || number > kLongestAge) return std::nullopt;
  switch (*stopped) {
    case 'h':
      return number * kMicrosPerHour;
    case 'd':
      return number * kMicrosPerDay;
    case 'w':
      return number * 7 * kMicrosPerDay;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<Timestamp> ParseTime(std::string_view text, Timestamp now) {
  if (const auto age = ParseAge(text)) return now - *age;
  if (text.size() == std::string_view("YYYY-MM-DD").size()) return Timestamp::Parse(std::string(text) + "T00:00:00Z");
  return Timestamp::Parse(text);
}

std::string TimeText(Timestamp at) {
  std::string text = at.ToString().substr(0, std::string_view("YYYY-MM-DDTHH:MM:SS").size());
  text[10] = ' ';
  return text;
}

std::string Duration(int64_t milliseconds) {
  const auto format = [](const char* pattern, auto... numbers) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), pattern, numbers...);
    return std::string(text.data());
  };
  if (milliseconds < 1000) return std::to_string(milliseconds) + " ms";
  const long long seconds = milliseconds / 1000;
  if (seconds < 60) return format("%lld.%02lld s", seconds, static_cast<long long>(milliseconds % 1000 / 10));
  if (seconds < 3600) return format("%lldm %02llds", seconds / 60, seconds % 60);
  return format("%lldh %02lldm", seconds / 3600, seconds % 3600 / 60);
}

}  // namespace flaky
