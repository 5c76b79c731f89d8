// SPDX-License-Identifier: MIT
#include "stores/turso/base64.h"

#include <cstdint>

namespace flaky::turso {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string ToBase64(std::string_view bytes) {
  std::string base64;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view three = bytes.substr(i, 3);
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) bits = bits << 8 | (k < three.size() ? static_cast<unsigned char>(three[k]) : 0u);
    for (size_t k = 0; k <= three.size(); ++k) base64 += kDigits[bits >> (18 - 6 * k) & 63];
  }
  return base64;
}

std::optional<std::string> FromBase64(std::string_view base64) {
  const size_t digits = base64.find_last_not_of('=') + 1;
  if (base64.size() - digits > 2) return std::nullopt;
  base64 = base64.substr(0, digits);
  std::string bytes;
  bytes.reserve(base64.size() / 4 * 3 + 2);
  uint32_t bits = 0;
  int count = 0;
  for (const char c : base64) {
    const size_t digit = kDigits.find(c);
    if (digit == kDigits.npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xff);
  }
  return bytes;
}

}  // namespace flaky::turso
