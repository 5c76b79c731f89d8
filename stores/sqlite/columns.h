#ifndef FLAKY_STORES_SQLITE_COLUMNS_H_
#define FLAKY_STORES_SQLITE_COLUMNS_H_

#include <SQLiteCpp/SQLiteCpp.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "history/fields.h"
#include "stores/bad_value.h"
#include "stores/sqlite/connection.h"

// How the fields of history/fields.h go into SQLite's columns and come back.
namespace flaky {

// Binds the fields it visits to a statement's parameters, in turn. Nothing is copied: the record and the binder must
// live until the statement is reset.
class FieldBinder {
 public:
  FieldBinder(SQLite::Statement& statement, int first_parameter) : statement_(statement), next_(first_parameter) {}

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
  std::array<std::string, 2> times_;  // no table has more
  size_t times_used_ = 0;
};

// Sets the fields it visits from the columns of a statement's row, in turn, and adds up the texts' sizes. Throws
// StoreError (kInvalid), naming run and column, for a value that the field cannot hold.
class FieldReader {
 public:
  FieldReader(const SqliteConnection& connection, const SQLite::Statement& statement, std::string_view run_id,
              int first_column)
      : connection_(connection), statement_(statement), run_id_(run_id), next_(first_column) {}

  void operator()(std::string_view name, std::string& value) {
    const SQLite::Column column = Take(name, SQLite::TEXT, kWantText);
    const char* text = column.getText();
    value.assign(text, static_cast<size_t>(column.getBytes()));
    text_bytes_ += value.size();
  }
  // A view lives until the statement's next row.
  void operator()(std::string_view name, std::string_view& value) {
    const SQLite::Column column = Take(name, SQLite::TEXT, kWantText);
    const char* text = column.getText();
    value = {text, static_cast<size_t>(column.getBytes())};
  }
  void operator()(std::string_view name, Timestamp& value);
  void operator()(std::string_view name, int64_t& value) {
    value = Take(name, SQLite::INTEGER, kWantInteger).getInt64();
  }
  void operator()(std::string_view name, bool& value);
  template <typename T>
  void operator()(std::string_view name, std::optional<T>& value) {
    if (statement_.isColumnNull(next_)) {
      ++next_;
      value.reset();
    } else {
      (*this)(name, value.emplace());
    }
  }

  size_t text_bytes() const { return text_bytes_; }

 private:
  SQLite::Column Take(std::string_view name, int type, std::string_view wanted) {
    SQLite::Column column = statement_.getColumn(next_++);
    if (column.getType() != type) Refuse(name, column, wanted);
    return column;
  }
  [[noreturn]] void Refuse(std::string_view name, const SQLite::Column& column, std::string_view wanted) const;

  const SqliteConnection& connection_;
  const SQLite::Statement& statement_;
  std::string_view run_id_;
  int next_;
  size_t text_bytes_ = 0;
};

// Reads a column that holds a time, as FieldReader does.
Timestamp ReadTime(const SqliteConnection& connection, const SQLite::Column& column, std::string_view run_id,
                   std::string_view name);

}  // namespace flaky

#endif  // FLAKY_STORES_SQLITE_COLUMNS_H_
