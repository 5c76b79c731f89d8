// SPDX-License-Identifier: MIT
#include "cli/output/numbers.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace flaky {
namespace {

constexpr int64_t kHour = 3600;
constexpr double kLongestClock = 1e15;

}  // namespace

std::string WithThousands(int64_t number) {
  const std::string digits = std::to_string(number);
  const size_t first = digits[0] == '-' ? 1 : 0;
  std::string text;
  for (size_t at = 0; at < digits.size(); ++at) {
    if (at > first && (digits.size() - at) % 3 == 0) text.push_back(',');
    text.push_back(digits[at]);
  }
  return text;
}

std::string Counted(int64_t count, std::string_view what) {
  return WithThousands(count) + ' ' + std::string(what) + (count == 1 ? "" : "s");
}

std::string AsBytes(int64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + " B";
  double value = static_cast<double>(bytes);
  const char* unit = "";
  for (const char* next : {"kB", "MB", "GB", "TB", "PB", "EB"}) {
    if (value < 1000) break;
    value /= 1000;
    unit = next;
  }
  return Decimals(value, 1) + ' ' + unit;
}

std::string Decimals(double number, int digits) {
  char text[340];  // the largest double has 309 digits in front of the point
  std::snprintf(text, sizeof text, "%.*f", digits, number);
  return text;
}

std::string AsClock(double seconds) {
  const int64_t whole = std::llround(std::ceil(std::min(seconds, kLongestClock)));
  char text[40];
  if (whole < kHour) {
    std::snprintf(text, sizeof text, "%d:%02d", static_cast<int>(whole / 60), static_cast<int>(whole % 60));
  } else {
    std::snprintf(text, sizeof text, "%lld:%02d:%02d", static_cast<long long>(whole / kHour),
                  static_cast<int>(whole % kHour / 60), static_cast<int>(whole % 60));
  }
  return text;
}

std::string AsDuration(double seconds) {
  if (seconds < 9.995) return Decimals(seconds, 2) + " s";
  if (seconds < 59.95) return Decimals(seconds, 1) + " s";
  const double whole = std::round(seconds);
  return AsClock(whole) + (whole < kHour ? " min" : " h");
}

}  // namespace flaky
