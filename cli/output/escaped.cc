// SPDX-License-Identifier: MIT
#include "cli/output/escaped.h"

#include <algorithm>
#include <array>

namespace flaky {
namespace {

struct Range {
  char32_t first, last;
};

bool IsIn(const auto& ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(), [c](const Range& r) { return r.first <= c && c <= r.last; });
}

// Combining marks of the scripts that messages are likely to have.
constexpr auto kZeroWidth = std::to_array<Range>({{0x0300, 0x036F},
                                                  {0x0483, 0x0489},
                                                  {0x0591, 0x05BD},
                                                  {0x0610, 0x061A},
                                                  {0x064B, 0x065F},
                                                  {0x0E31, 0x0E31},
                                                  {0x0E34, 0x0E3A},
                                                  {0x0E47, 0x0E4E},
                                                  {0x1AB0, 0x1AFF},
                                                  {0x1DC0, 0x1DFF},
                                                  {0x20D0, 0x20FF},
                                                  {0xFE20, 0xFE2F}});

// The blocks that Unicode's East Asian Width calls wide or full-width.
constexpr auto kWide = std::to_array<Range>({{0x1100, 0x115F},
                                             {0x231A, 0x231B},
                                             {0x23E9, 0x23EC},
                                             {0x26AA, 0x26AB},
                                             {0x2705, 0x2705},
                                             {0x274C, 0x274C},
                                             {0x2E80, 0x303E},
                                             {0x3041, 0xA4CF},
                                             {0xA960, 0xA97F},
                                             {0xAC00, 0xD7A3},
                                             {0xF900, 0xFAFF},
                                             {0xFE30, 0xFE6F},
                                             {0xFF00, 0xFF60},
                                             {0xFFE0, 0xFFE6},
                                             {0x1F300, 0x1F64F},
                                             {0x1F680, 0x1F6FF},
                                             {0x1F900, 0x1F9FF},
                                             {0x20000, 0x3FFFD}});

size_t WidthOf(char32_t code) {
  if (code < 0x300) return 1;
  return IsIn(kZeroWidth, code) ? 0 : IsIn(kWide, code) ? 2 : 1;
}

}  // namespace

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const Character character = FirstCharacter(text);
    width += character.valid ? WidthOf(character.code) : 1;
    text.remove_prefix(character.length);
  }
  return width;
}

std::string CutToWidth(std::string_view text, size_t width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  size_t used = 0;
  size_t bytes = 0;
  while (bytes < text.size()) {
    const Character character = FirstCharacter(text.substr(bytes));
    const size_t wanted = character.valid ? WidthOf(character.code) : 1;
    if (used + wanted + 1 > width) break;
    used += wanted;
    bytes += character.length;
  }
  return std::string(text.substr(0, bytes)) + "…";
}

std::string_view FirstLine(std::string_view text) {
  const size_t begin = text.find_first_not_of("\r\n");
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin);
  return text.substr(0, text.find_first_of("\r\n"));
}

}  // namespace flaky
