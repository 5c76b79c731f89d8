// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SQLITE_COLUMNS_H_
#define FLAKY_STORES_SQLITE_COLUMNS_H_

#include <SQLiteCpp/SQLiteCpp.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "history/fields.h"
#include "stores/sql/bad_value.h"
#include "stores/sql/row_reader.h"
#include "stores/sqlite/connection.h"

// Writes the fields of history/fields.h to SQLite's columns, and reads them.
namespace flaky::sqlite {

// Binds the fields it visits to a statement's parameters, one after the other. Nothing is copied: the record and this
// object must live until the statement is reset.
class RowWriter {
 public:
  RowWriter(SQLite::Statement& statement, int first_parameter) : statement_(statement), next_(first_parameter) {}

  void operator()(std::string_view, const std::string& value) { BindText(statement_, next_++, value); }
  void operator()(std::string_view, const Timestamp& value) {
    std::string& text = times_.at(times_used_++);
    text = value.ToString();
    BindText(statement_, next_++, text);
  }
  void operator()(std::string_view, const int64_t& value) { statement_.bind(next_++, value); }
  void operator()(std::string_view, const bool& value) { statement_.bind(next_++, int32_t{value}); }
  template <typename T>
  void operator()(std::string_view name, const std::optional<T>& value) {
    if (value) {
      (*this)(name, *value);
    } else {
      statement_.bind(next_++);
    }
  }

  int next() const { return next_; }

 private:
  SQLite::Statement& statement_;
  int next_;
  std::array<std::string, 3> times_;  // no table has more
  size_t times_used_ = 0;
};

// Returns the value of a column of the current row. Its bytes live until the next row.
StoredValue ValueOf(const SQLite::Column& column);

// The current row of a statement, for flaky::RowReader. A column is looked at once if it holds what is expected.
class Cells {
 public:
  // Both must outlive this object.
  Cells(const Connection& connection, const SQLite::Statement& statement)
      : connection_(connection), statement_(statement) {}

  void Next() { ++column_; }
  bool Null() const { return statement_.isColumnNull(column_); }
  std::optional<std::string_view> Text() const {
    const SQLite::Column column = Column();
    if (!column.isText()) return std::nullopt;
    const char* text = column.getText();
    return std::string_view(text, static_cast<size_t>(column.getBytes()));
  }
  std::optional<int64_t> Integer() const {
    const SQLite::Column column = Column();
    return column.isInteger() ? std::optional(column.getInt64()) : std::nullopt;
  }
  std::optional<bool> Bool() const {
    const std::optional<int64_t> number = Integer();
    return number == 0 || number == 1 ? std::optional(number == 1) : std::nullopt;
  }
  std::optional<Timestamp> Time() const {
    const std::optional<std::string_view> text = Text();
    return text ? Timestamp::Parse(*text) : std::nullopt;
  }
  StoredValue Raw() const { return ValueOf(Column()); }
  StoredValue RawTime() const { return Raw(); }
  [[noreturn]] void Refuse(std::string_view table, std::string_view column, std::string_view expected) const;

 private:
  SQLite::Column Column() const { return statement_.getColumn(column_); }

  const Connection& connection_;
  const SQLite::Statement& statement_;
  int column_ = 0;
};
using RowReader = flaky::RowReader<Cells>;

}  // namespace flaky::sqlite

#endif  // FLAKY_STORES_SQLITE_COLUMNS_H_
