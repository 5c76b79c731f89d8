#include "cli/output/escaped.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace flaky {
namespace {

struct Range {
  char32_t first, last;
};

bool IsIn(const auto& ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(), [c](const Range& r) { return r.first <= c && c <= r.last; });
}

// Characters that a terminal may act on, or that make one text look like another: controls, line and paragraph
// separators, marks and overrides of direction, invisible joiners, interlinear annotation, the byte order mark.
constexpr auto kEscaped = std::to_array<Range>({{0x00, 0x1F},
                                                {0x7F, 0x9F},
                                                {0x061C, 0x061C},
                                                {0x200B, 0x200F},
                                                {0x2028, 0x202E},
                                                {0x2060, 0x206F},
                                                {0xFEFF, 0xFEFF},
                                                {0xFFF9, 0xFFFB},
                                                {0xE0000, 0xE007F}});

// Combining marks of the scripts that messages are likely to have, and variation selectors.
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
                                                  {0xFE00, 0xFE0F},
                                                  {0xFE20, 0xFE2F},
                                                  {0xE0100, 0xE01EF}});

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

struct Character {
  char32_t code = 0;
  size_t length = 1;  // in bytes
  bool valid = false;
};

// Decodes the first character of a text that is not empty, as RFC 3629 defines it.
Character Decode(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
  char32_t code = lead & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = (code << 6) | (byte(i) & 0x3F);
  }
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
  return {code, length, true};
}

std::string Escape(const char* format, uint32_t number) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), format, static_cast<unsigned>(number));
  return text.data();
}

std::string EscapeOf(char32_t code) {
  if (code == '\n') return "\\n";
  if (code == '\r') return "\\r";
  if (code == '\t') return "\\t";
  if (code < 0x80) return Escape("\\x%02x", code);
  return Escape(code > 0xFFFF ? "\\U%08x" : "\\u%04x", code);
}

size_t WidthOf(char32_t code) {
  if (code < 0x300) return 1;
  return IsIn(kZeroWidth, code) ? 0 : IsIn(kWide, code) ? 2 : 1;
}

}  // namespace

std::string Escaped(std::string_view text) {
  std::string printable;
  printable.reserve(text.size());
  while (!text.empty()) {
    const Character character = Decode(text);
    if (!character.valid) {
      printable += Escape("\\x%02x", static_cast<unsigned char>(text[0]));
    } else if (IsIn(kEscaped, character.code)) {
      printable += EscapeOf(character.code);
    } else {
      printable += text.substr(0, character.length);
    }
    text.remove_prefix(character.length);
  }
  return printable;
}

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const Character character = Decode(text);
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
    const Character character = Decode(text.substr(bytes));
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
