// SPDX-License-Identifier: MIT
#include "spool/timed_id.h"

#include <algorithm>
#include <cstdint>

namespace flaky {

std::string TimedId(Timestamp at, std::string_view digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  constexpr size_t kTime = 12, kVariant = 16;
  std::string id(digits);
  const auto milliseconds = static_cast<uint64_t>(std::max<int64_t>(0, at.micros) / 1000);
  for (size_t digit = 0; digit < kTime; ++digit) id[digit] = kDigits[milliseconds >> (4 * (kTime - 1 - digit)) & 15];
  id[kTime] = '7';
  id[kVariant] = kDigits[8 + kDigits.find(id[kVariant]) % 4];
  return id;
}

}  // namespace flaky
