#ifndef FLAKY_RECORDER_JSON_TEXT_H_
#define FLAKY_RECORDER_JSON_TEXT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "fixed_text.h"

// Converts any bytes to the inside of a JSON string: escaped, and valid UTF-8.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// The most bytes that one byte can become: a control character is written as \u001f.
inline constexpr std::size_t kLongestEscape = 6;

struct ByteClasses {
  bool plain[256];  // needs no escape
};
constexpr ByteClasses ClassifyBytes() {
  ByteClasses classes{};
  for (int byte = 0x20; byte < 0x80; ++byte) classes.plain[byte] = byte != '"' && byte != '\\';
  return classes;
}
inline constexpr ByteClasses kBytes = ClassifyBytes();

// The first UTF-8 sequence of a text. An invalid one has as many bytes as could begin a valid one (Unicode's "maximal
// subpart").
struct Sequence {
  std::size_t size;
  bool valid;
};
// Precondition: `text` is not empty. NUL counts as invalid.
inline Sequence FirstSequence(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {1, lead != 0};
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // The second byte's range excludes overlong forms, surrogates and code points above U+10FFFF.
  unsigned low = 0x80, high = 0xBF;
  if (lead == 0xE0) low = 0xA0;
  if (lead == 0xED) high = 0x9F;
  if (lead == 0xF0) low = 0x90;
  if (lead == 0xF4) high = 0x8F;
  for (std::size_t at = 1; at < size; ++at, low = 0x80, high = 0xBF) {
    if (at == text.size() || byte(at) < low || byte(at) > high) return {at, false};
  }
  return {size, true};
}

// Calls `put(piece)` for each piece of the escaped text, until a call returns false.
template <typename Put>
void EscapePieces(std::string_view text, Put&& put) {
  static constexpr char kHex[] = "0123456789abcdef";
  while (!text.empty()) {
    std::size_t run = 0;
    while (run < text.size() && kBytes.plain[static_cast<unsigned char>(text[run])]) ++run;
    if (run > 0 && !put(text.substr(0, run))) return;
    text.remove_prefix(run);
    if (text.empty()) return;

    const Sequence sequence = FirstSequence(text);
    const char first = text[0];
    const auto code = static_cast<unsigned char>(first);
    bool more;
    if (!sequence.valid) {
      more = put(kReplacement);
    } else if (code >= 0x80) {
      more = put(text.substr(0, sequence.size));
    } else if (first == '\n') {
      more = put("\\n");
    } else if (first == '"' || first == '\\') {
      const char pair[2] = {'\\', first};
      more = put(std::string_view(pair, 2));
    } else {
      const char unicode[6] = {'\\', 'u', '0', '0', kHex[code >> 4], kHex[code & 15]};
      more = put(std::string_view(unicode, 6));
    }
    if (!more) return;
    text.remove_prefix(sequence.size);
  }
}

inline std::size_t EscapedSize(std::string_view text) {
  std::size_t size = 0;
  EscapePieces(text, [&](std::string_view piece) { return size += piece.size(), true; });
  return size;
}

inline char* Append(char* out, std::string_view text) {
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

// Returns the end. Precondition: room for EscapedSize(text) bytes, which is at most kLongestEscape * text.size().
inline char* AppendEscaped(char* out, std::string_view text) {
  // Names are short and nearly always plain, so this copies while it checks.
  std::size_t plain = 0;
  for (; plain < text.size() && kBytes.plain[static_cast<unsigned char>(text[plain])]; ++plain)
    out[plain] = text[plain];
  out += plain;
  if (plain == text.size()) return out;
  EscapePieces(text.substr(plain), [&](std::string_view piece) { return out = Append(out, piece), true; });
  return out;
}

// As AppendEscaped, but stops at `limit` bytes and never splits a character or an escape.
inline char* AppendEscapedUpTo(char* out, std::string_view text, std::size_t limit) {
  const char* const begin = out;
  EscapePieces(text, [&](std::string_view piece) {
    const std::size_t room = limit - static_cast<std::size_t>(out - begin);
    if (piece.size() <= room) return out = Append(out, piece), true;
    if (kBytes.plain[static_cast<unsigned char>(piece[0])]) out = Append(out, piece.substr(0, room));
    return false;
  });
  return out;
}

// Returns the text's first `limit` bytes, or up to three fewer so that no character is cut in half.
inline std::string_view CutText(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  while (end > 0 && limit - end < 3 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_JSON_TEXT_H_
