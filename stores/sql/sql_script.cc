// SPDX-License-Identifier: MIT
#include "stores/sql/sql_script.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace flaky {
namespace {

constexpr std::string_view kBlank = " \t\r\n";
constexpr std::string_view kIfMissing = "if-missing:";
constexpr std::string_view kIfPresent = "if-present:";

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

class Splitter {
 public:
  explicit Splitter(std::string_view script) : script_(script) {}

  std::vector<SqlStep> Split() {
    while (at_ < script_.size()) Token();
    Finish();
    if (next_.when != SqlStep::When::kAlways) Fail("a directive without a statement after it");
    return std::move(steps_);
  }

 private:
  // Takes the token at `at_`, in which no separator counts, and appends it to the statement unless it is a comment.
  void Token() {
    const std::string_view rest = script_.substr(at_);
    const char c = rest.front();
    if (rest.starts_with("--")) {
      Comment(Take(std::min(rest.find('\n'), rest.size())).substr(2));
    } else if (rest.starts_with("/*")) {
      TakeThrough("*/", 2);
      Append(" ");
    } else if (c == '\'' || c == '"' || c == '`') {
      // A doubled quote ends one quotation and begins the next, so it needs no special case.
      Append(TakeThrough(rest.substr(0, 1), 1));
    } else if (c == '[') {
      Append(TakeThrough("]", 1));
    } else if (const size_t tag = DollarTag(rest); tag > 0) {
      Append(TakeThrough(rest.substr(0, tag), tag));
    } else if (IsNameCharacter(c)) {
      size_t end = 1;
      while (end < rest.size() && (IsNameCharacter(rest[end]) || rest[end] == '$')) ++end;
      Append(Take(end));
    } else if (c == ';') {
      Take(1);
      Finish();
    } else {
      Append(Take(1));
    }
  }

  // Returns the length of `$tag$` at the front, or 0.
  static size_t DollarTag(std::string_view rest) {
    if (rest.front() != '$') return 0;
    size_t end = 1;
    while (end < rest.size() && IsNameCharacter(rest[end])) ++end;
    const bool parameter = end > 1 && rest[1] >= '0' && rest[1] <= '9';
    return end < rest.size() && rest[end] == '$' && !parameter ? end + 1 : 0;
  }

  void Comment(std::string_view text) {
    text = Trim(text);
    if (text.starts_with(kIfMissing)) {
      if (!Trim(statement_).empty() || next_.when != SqlStep::When::kAlways) Fail("a directive within a statement");
      next_.when = SqlStep::When::kIfMissing;
      SetColumn(next_, Trim(text.substr(kIfMissing.size())));
    } else if (text.starts_with(kIfPresent)) {
      text.remove_prefix(kIfPresent.size());
      const size_t colon = text.find(':');
      if (colon == text.npos) Fail("'if-present' without ': STATEMENT'");
      SqlStep step;
      step.when = SqlStep::When::kIfPresent;
      SetColumn(step, Trim(text.substr(0, colon)));
      text = Trim(text.substr(colon + 1));
      if (text.ends_with(';')) text.remove_suffix(1);
      step.sql = Trim(text);
      if (step.sql.empty()) Fail("'if-present' without a statement");
      steps_.push_back(std::move(step));
    }
  }

  void SetColumn(SqlStep& step, std::string_view name) {
    const size_t dot = name.find('.');
    if (dot == 0 || dot == name.npos || dot + 1 == name.size() || name.find_first_of(kBlank) != name.npos) {
      Fail("a directive names one column as TABLE.COLUMN");
    }
    step.table = name.substr(0, dot);
    step.column = name.substr(dot + 1);
  }

  std::string_view Take(size_t size) {
    const std::string_view taken = script_.substr(at_, size);
    at_ += size;
    return taken;
  }

  std::string_view TakeThrough(std::string_view end, size_t from) {
    const size_t found = script_.find(end, at_ + from);
    if (found == script_.npos) Fail("no closing " + std::string(end));
    return Take(found + end.size() - at_);
  }

  void Append(std::string_view text) { statement_ += text; }

  void Finish() {
    next_.sql = Trim(statement_);
    statement_.clear();
    if (next_.sql.empty()) return;
    steps_.push_back(std::exchange(next_, {}));
  }

  [[noreturn]] void Fail(const std::string& what) const {
    const auto line = std::count(script_.begin(), script_.begin() + static_cast<std::ptrdiff_t>(at_), '\n') + 1;
    throw std::invalid_argument("line " + std::to_string(line) + ": " + what);
  }

  std::string_view script_;
  size_t at_ = 0;
  std::string statement_;
  SqlStep next_;
  std::vector<SqlStep> steps_;
};

}  // namespace

std::vector<SqlStep> ParseSqlScript(std::string_view script) { return Splitter(script).Split(); }

std::string ReplaceAll(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  for (;;) {
    const size_t found = text.find(from);
    result += text.substr(0, found);
    if (found == text.npos) return result;
    result += to;
    text.remove_prefix(found + from.size());
  }
}

}  // namespace flaky
