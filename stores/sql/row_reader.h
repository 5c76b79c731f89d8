// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SQL_ROW_READER_H_
#define FLAKY_STORES_SQL_ROW_READER_H_

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "history/time.h"
#include "stores/sql/bad_value.h"

namespace flaky {

// Returns the number that a text spells, or the text if it spells none.
inline StoredValue NumberIn(std::string_view text) {
  using Type = StoredValue::Type;
  StoredValue value{Type::kText, 0, 0, text};
  const char* const end = text.data() + text.size();
  if (const auto [stop, error] = std::from_chars(text.data(), end, value.integer);
      error == std::errc() && stop == end) {
    value.type = Type::kInteger;
  } else if (const auto [at, failed] = std::from_chars(text.data(), end, value.real);
             failed == std::errc() && at == end) {
    value.type = Type::kReal;
  }
  return value;
}

// Sets the fields it visits (history/fields.h) from the cells of a row, one after the other, and adds up the sizes of
// the texts. A value that isn't of its field's type is converted (stores/sql/bad_value.h). Only an id isn't converted:
// an id of another type throws StoreError (kInvalid).
//
// `Cells` is the row of one kind of store. It always is at one cell, and has:
//   void Next()                              Moves to the next cell. A cell after the last is NULL.
//   bool Null()
//   std::optional<std::string_view> Text()   The cell's value if it is stored as this type. The text lives until the
//   std::optional<int64_t> Integer()         row changes, and as long as the cells.
//   std::optional<bool> Bool()
//   std::optional<Timestamp> Time()
//   StoredValue Raw()                        The value as it is stored, to be converted.
//   StoredValue RawTime()                    The same for a column of times.
//   [[noreturn]] void Refuse(table, column, expected)   For an id that isn't of the `expected` type ("text").
template <typename Cells>
class RowReader {
 public:
  // `table`: "runs". `conversions`: receives a note for each converted value; may be null.
  RowReader(Cells cells, std::string_view table, std::vector<Conversion>* conversions = nullptr)
      : cells_(std::move(cells)), table_(table), convert_(table, conversions) {}

  void operator()(std::string_view name, std::string& value) { value = Text(name); }
  // The view lives as long as the cells' text and this object.
  void operator()(std::string_view name, std::string_view& value) { value = Text(name); }
  void operator()(std::string_view name, Timestamp& value) {
    const std::optional<Timestamp> time = cells_.Time();
    value = time ? *time : convert_.RequiredTime(name, cells_.RawTime());
    cells_.Next();
  }
  // An id, or a number that the server computed.
  void operator()(std::string_view name, int64_t& value) {
    const std::optional<int64_t> number = cells_.Integer();
    if (!number) cells_.Refuse(table_, name, "integer");
    value = *number;
    cells_.Next();
  }
  void operator()(std::string_view name, std::optional<Timestamp>& value) {
    ReadOptional(value, &Cells::Time, [&] { return convert_.Time(name, cells_.RawTime()); });
  }
  void operator()(std::string_view name, std::optional<int64_t>& value) {
    ReadOptional(value, &Cells::Integer, [&] { return convert_.Number(name, cells_.Raw()); });
  }
  void operator()(std::string_view name, std::optional<bool>& value) {
    ReadOptional(value, &Cells::Bool, [&] { return convert_.Bool(name, cells_.Raw()); });
  }
  // Optional texts.
  template <typename T>
  void operator()(std::string_view name, std::optional<T>& value) {
    if (cells_.Null()) {
      value.reset();
      cells_.Next();
    } else {
      (*this)(name, value.emplace());
    }
  }

  // From now on, conversions are noted there.
  void set_conversions(std::vector<Conversion>* conversions) { convert_ = ValueConverter(table_, conversions); }
  size_t text_bytes() const { return text_bytes_; }

 private:
  template <typename T, typename Read, typename Convert>
  void ReadOptional(std::optional<T>& value, Read read, Convert convert) {
    value.reset();
    if (!cells_.Null()) {
      value = std::invoke(read, cells_);
      if (!value) value = convert();
    }
    cells_.Next();
  }

  std::string_view Text(std::string_view name) {
    const std::optional<std::string_view> stored = cells_.Text();
    const std::string_view text = stored ? *stored : converted_.emplace_front(ConvertedText(name));
    text_bytes_ += text.size();
    cells_.Next();
    return text;
  }

  std::string ConvertedText(std::string_view name) {
    if (name == "run_id") cells_.Refuse(table_, name, "text");
    const StoredValue raw = cells_.Raw();
    // A text that the cells don't take for one isn't valid UTF-8.
    return raw.type == StoredValue::Type::kText ? convert_.RawText(name, raw.bytes) : convert_.Text(name, raw);
  }

  Cells cells_;
  std::string_view table_;
  ValueConverter convert_;
  size_t text_bytes_ = 0;
  std::forward_list<std::string> converted_;  // texts made of something else
};

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_ROW_READER_H_
