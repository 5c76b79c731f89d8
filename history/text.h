// SPDX-License-Identifier: MIT
#ifndef FLAKY_HISTORY_TEXT_H_
#define FLAKY_HISTORY_TEXT_H_

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace flaky {

// Returns true if every store can hold the text: UTF-8 as in RFC 3629 (no overlong forms, no surrogates), without NUL.
bool IsStorable(std::string_view text);

// Returns the text with each NUL, and each byte that is not part of such UTF-8, replaced by U+FFFD.
std::string MakeStorable(std::string_view text);

// Cuts the text to at most `limit` bytes at the end of a character, and appends a note that says how many bytes were
// cut. The note is worded as the recorder's (docs/reference/journal.md). Returns a text within the limit unchanged.
std::string CutTo(std::string_view text, size_t limit);

// The maximal length of the note, in bytes.
inline constexpr size_t kMaxCutNote = 64;

// Appends the text as a JSON string, quotes included. Precondition: IsStorable(text).
void AppendJson(std::string& out, std::string_view text);

// Returns a JSON array of the texts. Precondition: all are storable.
std::string JsonArray(std::span<const std::string> texts);

// Returns the items' texts with the separator between them. `text_of` returns an item's text.
template <typename Range, typename TextOf = std::identity>
std::string Join(const Range& items, std::string_view separator, TextOf text_of = {}) {
  std::string all;
  bool is_first = true;
  for (const auto& item : items) {
    if (!is_first) all += separator;
    is_first = false;
    all += std::invoke(text_of, item);
  }
  return all;
}

}  // namespace flaky

#endif  // FLAKY_HISTORY_TEXT_H_
