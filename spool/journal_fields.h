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

// How the lines of a journal are taken apart, the header and those behind it alike.
namespace flaky::journal_fields {

namespace dom = simdjson::dom;

// What is wrong with a line, as a phrase. Whoever knows the line's number makes a JournalError of it.
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

// GoogleTest gives -1 where it knows no line.
inline std::optional<int64_t> LineNumber(dom::element value) {
  if (value.is_null()) return std::nullopt;
  const int64_t line = Integer(value, "a line number");
  return line > 0 ? std::optional(line) : std::nullopt;
}

// A field that may be missing; null counts as missing.
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

// For numbers that are only ever compared, such as inodes: written as a number or as a text, they are the same.
inline std::string FindToken(const dom::object& object, std::string_view key) {
  const auto value = Find(object, key);
  if (!value) return {};
  if (uint64_t number = 0; !value->get(number)) return std::to_string(number);
  return Text(*value, key);
}

}  // namespace flaky::journal_fields

#endif  // FLAKY_SPOOL_JOURNAL_FIELDS_H_
