#ifndef FLAKY_HISTORY_TEXT_H_
#define FLAKY_HISTORY_TEXT_H_

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace flaky {

// True if every store can hold the text: UTF-8 as RFC 3629 has it (no overlong forms, no surrogates), without NUL.
bool IsStorable(std::string_view text);

// The text with each byte that is not part of such UTF-8, and each NUL, replaced by U+FFFD.
std::string MakeStorable(std::string_view text);

// The text cut to at most `limit` bytes at a character's boundary, with a note of how many bytes were cut behind it, in
// the words that the recorder uses (docs/reference/journal.md). A text within the limit is returned as it is.
std::string CutTo(std::string_view text, size_t limit);

// The note is never longer than this.
inline constexpr size_t kMaxCutNote = 64;

// Appends the text as a JSON string, quotes included. Precondition: IsStorable(text).
void AppendJson(std::string& out, std::string_view text);

// A JSON array of texts. Precondition: as for each of them.
std::string JsonArray(std::span<const std::string> texts);

// Returns the items' texts with the separator between them. `text_of` makes an item's text.
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
