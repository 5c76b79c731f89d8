// SPDX-License-Identifier: MIT
#include "settings/toml_check.h"

#include <algorithm>
#include <cstddef>

#include "history/text.h"

namespace flaky {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kQuotes = "\"'";
constexpr std::string_view kEscapes = "btnfr\"\\uU";  // what TOML allows after a backslash

bool IsControl(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

bool BeginsKey(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         kQuotes.find(c) != kQuotes.npos;
}

// Returns whether a text in quotes may begin after this part of a line. The library reads on in the middle of a word
// that it does not understand, as if the rest of it were not in quotes.
bool MayBeginText(std::string_view before) {
  const size_t last = before.find_last_not_of(kBlanks);
  return last == before.npos || std::string_view("=[{,.").find(before[last]) != std::string_view::npos;
}

// Checks one line after the other. Each function returns what is wrong, or an empty text.
class Checker {
 public:
  std::string Line(std::string_view line) {
    if (!IsStorable(line)) return "is not valid UTF-8, or has a NUL";
    if (std::ranges::any_of(line, IsControl)) return "has a control character";
    dots_ = 0;
    at_ = std::min(line.find_first_not_of(kBlanks), line.size());
    if (open_.empty() && line.substr(at_).starts_with('[')) {
      if (std::string wrong = Header(line); !wrong.empty()) return wrong;
    }
    while (at_ < line.size() && line[at_] != '#') {
      const char c = line[at_];
      std::string wrong = kQuotes.find(c) == kQuotes.npos ? Character(c) : Quoted(line);
      if (!wrong.empty()) return wrong;
      ++at_;
    }
    return {};
  }

 private:
  // The `[` or `[[` before the name of a table.
  std::string Header(std::string_view line) {
    do {
      open_ += '[';
      ++at_;
    } while (open_.size() < 2 && line.substr(at_).starts_with('['));
    at_ = std::min(line.find_first_not_of(kBlanks, at_), line.size());
    return at_ < line.size() && BeginsKey(line[at_]) ? "" : "has no name of a table after its `[`";
  }

  // Moves to the closing quote.
  std::string Quoted(std::string_view line) {
    const char quote = line[at_];
    if (!MayBeginText(line.substr(0, at_))) return "has a quote in the middle of a word";
    if (line.substr(at_).starts_with(std::string(3, quote))) return "begins a text over several lines; expected one";
    for (++at_; at_ < line.size() && line[at_] != quote; ++at_) {
      if (line[at_] != '\\' || quote != '"') continue;
      ++at_;
      if (at_ < line.size() && kEscapes.find(line[at_]) == kEscapes.npos) return "has an unknown escape in a text";
    }
    return at_ < line.size() ? "" : "has a text without its closing quote";
  }

  std::string Character(char c) {
    if (static_cast<unsigned char>(c) >= 0x80) return "has a character outside of quotes that is not ASCII";
    if (c == '\\') return "has a backslash outside of quotes";
    if (c == '.') {
      return ++dots_ <= kDeepestToml ? "" : "has a key with more than " + std::to_string(kDeepestToml) + " dots";
    }
    if (std::string_view("=,[]{}").find(c) != std::string_view::npos) dots_ = 0;
    if (c == '[' || c == '{') {
      open_ += c;
      return open_.size() <= kDeepestToml ? "" : "has more than " + std::to_string(kDeepestToml) + " nested brackets";
    }
    if (c != ']' && c != '}') return {};
    if (!open_.ends_with(c == ']' ? '[' : '{')) return std::string("has a `") + c + "` that closes nothing";
    open_.pop_back();
    return {};
  }

  std::string open_;  // the brackets that are open
  size_t at_ = 0;
  size_t dots_ = 0;
};

}  // namespace

std::optional<TomlProblem> FindTomlProblem(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  Checker checker;
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (end != text.npos && line.ends_with('\r')) line.remove_suffix(1);
    if (std::string what = checker.Line(line); !what.empty()) return TomlProblem{number, std::move(what)};
  }
  return std::nullopt;
}

}  // namespace flaky
