// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_JOURNAL_FIELDS_H_
#define FLAKY_SPOOL_JOURNAL_FIELDS_H_

#include <simdjson.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "history/text.h"
#include "history/time.h"

// Functions that read the fields of a journal's lines, for the header and the other lines.
namespace flaky::journal_fields {

namespace dom = simdjson::dom;

// What is wrong with a line, as a phrase. The caller that knows the line's number turns it into a JournalError.
struct BadLine {
  std::string what;
};

inline std::string Text(dom::element value, std::string_view what) {
  std::string_view text;
  if (value.get(text)) throw BadLine{std::string(what) + " is not a text"};
  return MakeStorable(text);
}

inline int64_t Integer(dom::element value, std::string_view what) {
  int64_t number = 0;
  if (value.get(number)) throw BadLine{std::string(what) + " is not a whole number"};
  return number;
}

inline int64_t Micros(dom::element value, std::string_view what) {
  return std::clamp<int64_t>(Integer(value, what), 0, Timestamp::kMax.micros);
}

// GoogleTest reports -1 if it does not know the line.
inline std::optional<int64_t> LineNumber(dom::element value) {
  if (value.is_null()) return std::nullopt;
  const int64_t line = Integer(value, "a line number");
  return line > 0 ? std::optional(line) : std::nullopt;
}

// Returns nullopt if the field is missing or null.
inline std::optional<dom::element> Find(const dom::object& object, std::string_view key) {
  dom::element value;
  if (object.at_key(key).get(value) || value.is_null()) return std::nullopt;
  return value;
}

inline std::optional<std::string> FindText(const dom::object& object, std::string_view key) {
  const auto value = Find(object, key);
  return value ? std::optional(Text(*value, key)) : std::nullopt;
}

inline std::optional<int64_t> FindInteger(const dom::object& object, std::string_view key) {
  const auto value = Find(object, key);
  return value ? std::optional(Integer(*value, key)) : std::nullopt;
}

// For numbers that are only compared, such as inodes. Returns the same for a number and for a text of its digits.
inline std::string FindToken(const dom::object& object, std::string_view key) {
  const auto value = Find(object, key);
  if (!value) return {};
  if (uint64_t number = 0; !value->get(number)) return std::to_string(number);
  return Text(*value, key);
}

}  // namespace flaky::journal_fields

#endif  // FLAKY_SPOOL_JOURNAL_FIELDS_H_
