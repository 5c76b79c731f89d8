// SPDX-License-Identifier: MIT
#include "history/roster.h"

#include <charconv>
#include <optional>
#include <stdexcept>
#include <utility>

#include "history/digest.h"
#include "history/text.h"

namespace flaky {
namespace {

// Accepts only the form that MakeRoster writes, so that equal content always has equal text.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  RosterEntries Parse() {
    RosterEntries entries;
    Visit([&](std::string name, const RosterEntry& entry) {
      if (!entries.emplace(std::move(name), entry).second) Fail("a duplicate name");
    });
    return entries;
  }

  void Check() {
    std::optional<std::string> last;
    Visit([&](std::string name, const RosterEntry&) {
      if (last && *last >= name) Fail("a name that is not after the one before it");
      last = std::move(name);
    });
  }

 private:
  template <typename Visitor>
  void Visit(const Visitor& visit) {
    Expect('{');
    for (bool first = true; !Take('}'); first = false) {
      if (!first) Expect(',');
      std::string name = Name();
      Expect(':');
      visit(std::move(name), Entry());
    }
    if (at_ != text_.size()) Fail("unexpected text after the closing brace");
  }

  [[noreturn]] void Fail(const std::string& what) const {
    throw std::invalid_argument("not a roster: " + what + " at byte " + std::to_string(at_));
  }
  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void Expect(char c) {
    if (!Take(c)) Fail(std::string("expected '") + c + "'");
  }

  RosterEntry Entry() {
    if (!Take('[')) return {Number(), 0};
    RosterEntry entry;
    entry.executed = Number();
    Expect(',');
    entry.skipped = Number();
    Expect(']');
    return entry;
  }

  int64_t Number() {
    int64_t value = 0;
    const char* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc() || value < 0) Fail("invalid count");
    at_ += static_cast<size_t>(end - begin);
    return value;
  }

  std::string Name() {
    Expect('"');
    std::string name;
    while (!Take('"')) {
      if (at_ == text_.size()) Fail("unterminated name");
      const char c = text_[at_++];
      name.push_back(c == '\\' ? Escaped() : c);
    }
    return name;
  }

  char Escaped() {
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

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

RosterPtr MakeRoster(const RosterEntries& entries) {
  std::string tests = "{";
  for (const auto& [name, entry] : entries) {
    if (tests.size() > 1) tests.push_back(',');
    AppendJson(tests, name);
    tests.push_back(':');
    if (entry.skipped == 0) {
      tests += std::to_string(entry.executed);
    } else {
      tests += '[' + std::to_string(entry.executed) + ',' + std::to_string(entry.skipped) + ']';
    }
  }
  tests.push_back('}');
  std::string id = RosterId(tests);
  return std::make_shared<const Roster>(Roster{std::move(id), std::move(tests)});
}

std::string RosterId(std::string_view tests) { return DigestOf(tests).ToString(); }

RosterEntries ParseRoster(std::string_view tests) { return Parser(tests).Parse(); }

void CheckRoster(std::string_view tests) { Parser(tests).Check(); }

}  // namespace flaky
