// SPDX-License-Identifier: MIT
#include "history/plain_json.h"

#include <charconv>
#include <stdexcept>
#include <system_error>

#include "history/text.h"

namespace flaky {

void PlainJson::Fail(const std::string& problem) const {
  throw std::invalid_argument("not " + std::string(what_) + ": " + problem + " at byte " + std::to_string(at_));
}

void PlainJson::Expect(char c) {
  if (!Take(c)) Fail(std::string("expected '") + c + "'");
}

void PlainJson::ExpectEnd() const {
  if (at_ != text_.size()) Fail("unexpected text after the end");
}

int64_t PlainJson::Number() {
  int64_t value = 0;
  const char* begin = text_.data() + at_;
  const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
  const auto length = static_cast<size_t>(end - begin);
  if (error != std::errc() || value < 0 || (*begin == '0' && length > 1)) Fail("invalid number");
  at_ += length;
  return value;
}

std::string PlainJson::String() {
  Expect('"');
  const size_t begin = at_;
  std::string value;
  while (!Take('"')) {
    if (at_ == text_.size()) Fail("unterminated text");
    const char c = text_[at_++];
    value.push_back(c == '\\' ? Escaped() : c);
  }
  // There are several ways to escape a character, and one of them is ours.
  std::string written;
  AppendJson(written, value);
  if (std::string_view(written).substr(1) != text_.substr(begin, at_ - begin)) {
    at_ = begin;
    Fail("a text that is not written in its usual form");
  }
  return value;
}

char PlainJson::Escaped() {
  const char c = at_ < text_.size() ? text_[at_++] : '\0';
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case '"':
    case '\\':
      return c;
    case 'u': {
      unsigned value = 0;
      const std::string_view digits = text_.substr(at_, 4);
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
      if (error != std::errc() || end != digits.data() + 4 || value >= 0x20) Fail("unknown escape");
      at_ += 4;
      return static_cast<char>(value);
    }
    default:
      Fail("unknown escape");
  }
}

}  // namespace flaky
