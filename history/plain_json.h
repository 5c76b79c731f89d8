// SPDX-License-Identifier: MIT
#ifndef FLAKY_HISTORY_PLAIN_JSON_H_
#define FLAKY_HISTORY_PLAIN_JSON_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace flaky {

// Reads a JSON text from left to right, and accepts only the form that AppendJson (history/text.h) and its callers
// write: no blanks, and one way to write each text and number. So equal content always has equal text, and equal ids.
// Every function throws std::invalid_argument with the offset if the text continues in another way.
class PlainJson {
 public:
  // `what`: the name of the whole text for messages, "a roster". Both must outlive this object.
  PlainJson(std::string_view text, std::string_view what) : text_(text), what_(what) {}

  // Returns true, and moves on, if the next character is `c`.
  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void Expect(char c);
  void ExpectEnd() const;
  std::string String();
  // A number of at least 0.
  int64_t Number();
  [[noreturn]] void Fail(const std::string& problem) const;

 private:
  char Escaped();

  std::string_view text_;
  std::string_view what_;
  size_t at_ = 0;
};

}  // namespace flaky

#endif  // FLAKY_HISTORY_PLAIN_JSON_H_
