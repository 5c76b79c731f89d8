#ifndef FLAKY_STORES_POSTGRES_COLUMNS_H_
#define FLAKY_STORES_POSTGRES_COLUMNS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "history/fields.h"
#include "stores/postgres/binary.h"
#include "stores/postgres/connection.h"
#include "stores/sql/bad_value.h"
#include "stores/sql/tables.h"

// How the fields of history/fields.h go into PostgreSQL's columns and come back.
namespace flaky {

struct TypedColumn {
  std::string name;
  ColumnType type;
};

// The columns of stores/sql/tables.h with their types; those of parts and failures have `run_id` behind them.
struct TypedFields {
  std::vector<TypedColumn> runs;
  std::vector<TypedColumn> parts;
  std::vector<TypedColumn> failures;
};
const TypedFields& TypedColumns();

// `alias.a AS a, …`: the columns in the form that PostgresFieldReader reads, NULL for those that the table lacks.
// `present` null: it has all.
std::string SelectColumns(std::string_view alias, const std::vector<TypedColumn>& columns, const ColumnSet* present);

std::vector<std::string> NamesOf(const std::vector<TypedColumn>& columns);

// Rows for one table, column by column, as parameters of one statement.
class RowArrays {
 public:
  explicit RowArrays(const std::vector<TypedColumn>& columns);

  // Adds the fields it visits to the columns, in turn, row after row.
  void operator()(std::string_view, const std::string& value) { Next().AddText(value); }
  void operator()(std::string_view, const Timestamp& value) { Next().AddTime(value); }
  void operator()(std::string_view, const int64_t& value) { Next().AddNumber(value); }
  void operator()(std::string_view, const bool& value) { Next().AddBool(value); }
  template <typename T>
  void operator()(std::string_view name, const std::optional<T>& value) {
    value ? (*this)(name, *value) : Next().AddNull();
  }

  bool empty() const { return fields_ == 0; }
  size_t bytes() const;

  // `unnest($1::text[], …)`, with the arrays as further values. The rows must not be used any more.
  std::string Unnest(BinaryValues& values);

 private:
  BinaryArray& Next() { return arrays_[fields_++ % arrays_.size()]; }

  const std::vector<TypedColumn>& columns_;
  std::vector<BinaryArray> arrays_;
  size_t fields_ = 0;
};

// Sets the fields it visits from the columns of a row that SelectColumns asked for, in turn, and adds up the texts'
// sizes. A value that is none of the field's type is converted (stores/sql/bad_value.h), unless it is an id: then
// StoreError (kInvalid) is thrown. The row must outlive it.
class PostgresFieldReader {
 public:
  // `table` and `told` as in ValueConverter.
  PostgresFieldReader(const PostgresConnection& connection, const pqxx::row& row, std::string_view table,
                      std::vector<Conversion>* told = nullptr)
      : connection_(connection), table_(table), convert_(table, told), next_(row.begin()) {}

  void operator()(std::string_view name, std::string& value) {
    value = Text(name);
    text_bytes_ += value.size();
  }
  // A view lives as long as the row's result.
  void operator()(std::string_view name, std::string_view& value) { value = Text(name); }
  void operator()(std::string_view name, Timestamp& value);
  void operator()(std::string_view name, std::optional<Timestamp>& value);
  void operator()(std::string_view name, std::optional<int64_t>& value);
  void operator()(std::string_view name, std::optional<bool>& value);
  // An id, or a number of the server's own.
  void operator()(std::string_view name, int64_t& value);
  // Of texts.
  template <typename T>
  void operator()(std::string_view name, std::optional<T>& value) {
    if (next_->is_null()) {
      ++next_;
      value.reset();
    } else {
      (*this)(name, value.emplace());
    }
  }

  // From now on it is told there.
  void set_conversions(std::vector<Conversion>* told) { convert_ = ValueConverter(table_, told); }
  size_t text_bytes() const { return text_bytes_; }

 private:
  std::optional<std::string_view> Next();
  std::string_view Text(std::string_view name);
  [[noreturn]] void Refuse(std::string_view name) const;

  const PostgresConnection& connection_;
  std::string_view table_;
  ValueConverter convert_;
  pqxx::row::const_iterator next_;
  size_t text_bytes_ = 0;
};

}  // namespace flaky

#endif  // FLAKY_STORES_POSTGRES_COLUMNS_H_
