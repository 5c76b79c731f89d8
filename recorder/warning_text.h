// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_WARNING_TEXT_H_
#define FLAKY_RECORDER_WARNING_TEXT_H_

#include <cstddef>
#include <string_view>

#include "fixed_text.h"
#include "json_text.h"

// Makes foreign text harmless for what reads standard error. `flaky` has the same for its own output
// (docs/reference/commands.md); the recorder shows fewer characters as they are, because it needs no large table.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

struct CodeRange {
  char32_t first, last;
};

// The characters above ASCII that stay: letters, signs and emoji. Left out are controls, separators, everything that
// changes the direction of writing, and everything that shows nothing.
inline constexpr CodeRange kShown[] = {{0xA1, 0xAC},     {0xAE, 0x34E},    {0x350, 0x61B},    {0x61D, 0x70E},
                                       {0x900, 0x115E},  {0x1E00, 0x1FFF}, {0x2010, 0x2027},  {0x2030, 0x205E},
                                       {0x2070, 0x27FF}, {0x2900, 0x2FFF}, {0x3001, 0x3163},  {0x3165, 0xD7FF},
                                       {0xF900, 0xFAFF}, {0xFF01, 0xFF9F}, {0x1F300, 0x1FAFF}};

// Precondition: a valid sequence of two to four bytes.
inline bool IsShown(std::string_view sequence) {
  char32_t code = static_cast<unsigned char>(sequence[0]) & (0x7FU >> sequence.size());
  for (const char c : sequence.substr(1)) code = (code << 6) | (static_cast<unsigned char>(c) & 0x3FU);
  for (const CodeRange& range : kShown) {
    if (range.first <= code && code <= range.last) return true;
  }
  return false;
}

// Returns true if `c` after a text that ends in `last` may begin a command: `::` and `##` of CI systems, the tags
// `<DartMeasurement` and `<CTest` of ctest.
inline bool BeginsCommand(char last, char c) {
  return (c == ':' && last == ':') || (c == '#' && last == '#') || ((c == 'D' || c == 'C') && last == '<');
}

// Appends the text. Bytes that could control a reader become `\xNN`. What does not fit is dropped, but no character or
// escape is cut.
template <std::size_t kCapacity>
void AppendHarmless(FixedText<kCapacity>& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  const auto append = [&](std::string_view piece) {
    if (out.view().size() + piece.size() < kCapacity) out += piece;
  };
  while (!text.empty()) {
    const Sequence sequence = FirstSequence(text);
    const std::string_view bytes = text.substr(0, sequence.size);
    const auto code = static_cast<unsigned char>(bytes[0]);
    const char last = out.empty() ? '\0' : out.view().back();
    const bool is_ascii = code >= 0x20 && code < 0x7F && !BeginsCommand(last, bytes[0]);
    if (sequence.valid && (code < 0x80 ? is_ascii : IsShown(bytes))) {
      append(bytes);
    } else {
      for (const char byte : bytes) {
        const auto value = static_cast<unsigned char>(byte);
        const char escape[] = {'\\', 'x', kHex[value >> 4], kHex[value & 15]};
        append({escape, sizeof escape});
      }
    }
    text.remove_prefix(bytes.size());
  }
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_WARNING_TEXT_H_
