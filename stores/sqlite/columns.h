#ifndef FLAKY_STORES_SQLITE_COLUMNS_H_
#define FLAKY_STORES_SQLITE_COLUMNS_H_

#include <SQLiteCpp/SQLiteCpp.h>

#include <array>
#include <cstdint>
#include <forward_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "history/fields.h"
#include "stores/sql/bad_value.h"
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

// The value of a column of the current row; its bytes live until the next row.
StoredValue ValueOf(const SQLite::Column& column);

// Sets the fields it visits from the columns of a statement's row, in turn, and adds up the texts' sizes. A value that
// is none of the field's type is converted (stores/sql/bad_value.h), unless it is an id: then StoreError (kInvalid) is
// thrown.
class FieldReader {
 public:
  // `table` and `told` as in ValueConverter.
  FieldReader(const SqliteConnection& connection, const SQLite::Statement& statement, std::string_view table,
              std::vector<Conversion>* told)
      : connection_(connection), statement_(statement), table_(table), convert_(table, told) {}

  void operator()(std::string_view name, std::string& value) {
    const SQLite::Column column = Next();
    if (column.isText()) {
      const char* text = column.getText();
      value.assign(text, static_cast<size_t>(column.getBytes()));
    } else {
      value = Converted(name, column);
    }
    text_bytes_ += value.size();
  }
  // A view lives until the statement's next row, and as long as this object.
  void operator()(std::string_view name, std::string_view& value) {
    const SQLite::Column column = Next();
    if (column.isText()) {
      const char* text = column.getText();
      value = {text, static_cast<size_t>(column.getBytes())};
    } else {
      value = held_.emplace_front(Converted(name, column));
    }
  }
  void operator()(std::string_view name, Timestamp& value);
  void operator()(std::string_view name, std::optional<Timestamp>& value);
  void operator()(std::string_view name, std::optional<int64_t>& value) {
    const SQLite::Column column = Next();
    if (column.isInteger()) {
      value = column.getInt64();
    } else {
      value = convert_.Number(name, ValueOf(column));
    }
  }
  void operator()(std::string_view name, std::optional<bool>& value) { value = convert_.Bool(name, ValueOf(Next())); }
  // An id.
  void operator()(std::string_view name, int64_t& value) {
    const SQLite::Column column = Next();
    if (!column.isInteger()) Refuse(name, "integer");
    value = column.getInt64();
  }
  // Of texts.
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
  SQLite::Column Next() { return statement_.getColumn(next_++); }

  std::string Converted(std::string_view name, const SQLite::Column& column) const;
  [[noreturn]] void Refuse(std::string_view name, std::string_view wanted) const;

  const SqliteConnection& connection_;
  const SQLite::Statement& statement_;
  std::string_view table_;
  ValueConverter convert_;
  int next_ = 0;
  size_t text_bytes_ = 0;
  std::forward_list<std::string> held_;  // texts made of something else
};

}  // namespace flaky

#endif  // FLAKY_STORES_SQLITE_COLUMNS_H_
