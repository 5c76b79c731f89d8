// SPDX-License-Identifier: MIT
#include "history/text.h"

#include <cstdint>
#include <cstring>

namespace flaky {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

bool IsContinuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// Returns the length of the storable character that begins at `text[at]`, or 0 if no storable character begins there
// (table 3-7 of the Unicode standard).
size_t CharacterLength(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(at + i < text.size() ? text[at + i] : 0); };
  const unsigned char first = byte(0);
  if (first < 0x80) return first == 0 ? 0 : 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  if (first < 0xE0) return IsContinuation(byte(1)) ? 2 : 0;
  const unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high || !IsContinuation(byte(2))) return 0;
  if (first < 0xF0) return 3;
  return IsContinuation(byte(3)) ? 4 : 0;
}

// Returns the end of the longest storable text that begins at `text[at]`.
size_t StorableEnd(std::string_view text, size_t at) {
  while (at < text.size()) {
    // Skips eight bytes at once while all of them are ASCII and none is NUL.
    while (at + 8 <= text.size()) {
      uint64_t word;
      std::memcpy(&word, text.data() + at, sizeof word);
      constexpr uint64_t kOnes = 0x0101010101010101, kHighBits = 0x8080808080808080;
      if ((word & kHighBits) != 0 || ((word - kOnes) & ~word & kHighBits) != 0) break;
      at += 8;
    }
    if (at == text.size()) break;
    const size_t length = CharacterLength(text, at);
    if (length == 0) return at;
    at += length;
  }
  return at;
}

}  // namespace

bool IsStorable(std::string_view text) { return StorableEnd(text, 0) == text.size(); }

std::string MakeStorable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t end = StorableEnd(text, at);
    out.append(text.substr(at, end - at));
    at = end;
    if (at < text.size()) {
      out.append(kReplacement);
      ++at;
    }
  }
  return out;
}

std::string CutTo(std::string_view text, size_t limit) {
  if (text.size() <= limit) return std::string(text);
  size_t end = limit;
  while (end > 0 && IsContinuation(static_cast<unsigned char>(text[end]))) --end;
  std::string out(text.substr(0, end));
  out += "\n[flaky: " + std::to_string(text.size() - end) + " more bytes were cut]";
  return out;
}

void AppendJson(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
          out.push_back(kHex[static_cast<unsigned char>(c) & 0xF]);
        } else {
          out.push_back(c);
        }
    }
  }
  out.push_back('"');
}

std::string JsonArray(std::span<const std::string> texts) {
  std::string array = "[";
  for (const std::string& text : texts) {
    if (array.size() > 1) array += ',';
    AppendJson(array, text);
  }
  return array + "]";
}

}  // namespace flaky
