// SPDX-License-Identifier: MIT
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
#include "stores/sql/row_reader.h"
#include "stores/sql/tables.h"

// Writes the fields of history/fields.h to PostgreSQL's columns, and reads them.
namespace flaky::postgres {

struct TypedColumn {
  std::string name;
  ColumnType type;
};

// The columns of stores/sql/tables.h with their types. Those of parts and failures end with `run_id`.
struct TypedFields {
  std::vector<TypedColumn> runs;
  std::vector<TypedColumn> parts;
  std::vector<TypedColumn> failures;
};
const TypedFields& TypedColumns();

// Returns `alias.a AS a, …`: the columns in the form that Cells reads, NULL for those that the table lacks. `present`
// empty: it has all.
std::string SelectColumns(std::string_view alias, const std::vector<TypedColumn>& columns, const ColumnSet& present);

std::vector<std::string> NamesOf(const std::vector<TypedColumn>& columns);

// Collects rows for one table, column by column, as parameters of one statement.
class RowWriter {
 public:
  explicit RowWriter(const std::vector<TypedColumn>& columns);

  // Add the visited field to the next column. After the last column, the next row begins.
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

  // Returns `ROWS FROM (pg_catalog.unnest($1::text[]), …)` and appends the arrays to `values`. The object must not be
  // used afterwards.
  std::string Unnest(BinaryValues& values);

 private:
  BinaryArray& Next() { return arrays_[fields_++ % arrays_.size()]; }

  const std::vector<TypedColumn>& columns_;
  std::vector<BinaryArray> arrays_;
  size_t fields_ = 0;
};

// A row with the columns that SelectColumns asks for, for flaky::RowReader. Its texts live as long as the row's result.
class Cells {
 public:
  // Both must outlive this object.
  Cells(const Connection& connection, const pqxx::row& row) : connection_(connection), cell_(row.begin()) {}

  void Next() { ++cell_; }
  bool Null() const { return cell_->is_null(); }
  std::optional<std::string_view> Text() const {
    if (Null()) return std::nullopt;
    return std::string_view(cell_->c_str(), static_cast<size_t>(cell_->size()));
  }
  std::optional<int64_t> Integer() const;
  std::optional<bool> Bool() const;
  std::optional<Timestamp> Time() const;
  StoredValue Raw() const;
  StoredValue RawTime() const;
  [[noreturn]] void Refuse(std::string_view table, std::string_view column, std::string_view expected) const;

 private:
  const Connection& connection_;
  pqxx::row::const_iterator cell_;
};
using RowReader = flaky::RowReader<Cells>;

}  // namespace flaky::postgres

#endif  // FLAKY_STORES_POSTGRES_COLUMNS_H_
