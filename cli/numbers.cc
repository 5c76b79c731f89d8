#include "cli/numbers.h"

#include <cstdio>

namespace flaky {

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

std::string AsBytes(int64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + " B";
  double value = static_cast<double>(bytes);
  const char* unit = "";
  for (const char* next : {"kB", "MB", "GB", "TB", "PB", "EB"}) {
    if (value < 1000) break;
    value /= 1000;
    unit = next;
  }
  char text[40];
  std::snprintf(text, sizeof text, "%.1f %s", value, unit);
  return text;
}

}  // namespace flaky
