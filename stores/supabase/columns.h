// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SUPABASE_COLUMNS_H_
#define FLAKY_STORES_SUPABASE_COLUMNS_H_

#include <simdjson.h>

#include <cstdint>
#include <forward_list>
#include <optional>
#include <string>
#include <string_view>

#include "history/text.h"
#include "history/time.h"
#include "stores/sql/bad_value.h"
#include "stores/sql/row_reader.h"
#include "stores/supabase/connection.h"

// Writes the fields of history/fields.h to the arrays that the functions take, and reads them. The form of the arrays
// is described in stores/schema/supabase/0001_functions.sql.
namespace flaky::supabase {

// Returns a time as PostgreSQL reads it, which has no year 0 but 1 BC. A bound that a text can't hold becomes infinite.
std::string TimeText(Timestamp time);

// Appends a JSON array of the fields it visits. The elements are texts and null.
class RowWriter {
 public:
  explicit RowWriter(std::string& out) : out_(out) { out_ += '['; }

  void operator()(std::string_view, const std::string& value) { AppendJson(Next(), value); }
  void operator()(std::string_view, const Timestamp& value) { AppendJson(Next(), TimeText(value)); }
  void operator()(std::string_view, const int64_t& value) { AppendJson(Next(), std::to_string(value)); }
  void operator()(std::string_view, const bool& value) { AppendJson(Next(), value ? "true" : "false"); }
  template <typename T>
  void operator()(std::string_view name, const std::optional<T>& value) {
    value ? (*this)(name, *value) : static_cast<void>(Next() += "null");
  }
  void Close() { out_ += ']'; }

 private:
  std::string& Next() {
    if (!first_) out_ += ',';
    first_ = false;
    return out_;
  }

  std::string& out_;
  bool first_ = true;
};

// A row of an answer, for flaky::RowReader. A cell that an older function doesn't send is NULL; without a required one
// the answer is malformed. Its texts live as long as the answer and this object.
class Cells {
 public:
  // Both must outlive this object.
  Cells(const Connection& connection, simdjson::dom::array row)
      : connection_(connection), cell_(row.begin()), end_(row.end()) {}

  void Next() {
    if (cell_ != end_) ++cell_;
  }
  bool Null() const { return cell_ == end_ || (*cell_).is_null(); }
  std::optional<std::string_view> Text();
  std::optional<int64_t> Integer();
  std::optional<bool> Bool();
  std::optional<Timestamp> Time();
  StoredValue Raw();
  StoredValue RawTime();
  [[noreturn]] void Refuse(std::string_view table, std::string_view column, std::string_view expected) const;

 private:
  void RequireCell() const;

  const Connection& connection_;
  simdjson::dom::array::iterator cell_;
  simdjson::dom::array::iterator end_;
  std::forward_list<std::string> held_;  // texts of arrays, objects and numbers
};
using RowReader = flaky::RowReader<Cells>;

}  // namespace flaky::supabase

#endif  // FLAKY_STORES_SUPABASE_COLUMNS_H_
