// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_TURSO_COLUMNS_H_
#define FLAKY_STORES_TURSO_COLUMNS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "history/text.h"
#include "history/time.h"
#include "stores/sql/bad_value.h"
#include "stores/sql/row_reader.h"
#include "stores/turso/connection.h"
#include "stores/turso/hrana_request.h"
#include "stores/turso/hrana_value.h"

// Writes the fields of history/fields.h to a server's rows, and reads them.
namespace flaky::turso {

StoredValue ValueOf(const HranaValue& value);

// A row of an answer, for flaky::RowReader. Its texts live as long as the answer.
class Cells {
 public:
  // Both must outlive this object.
  Cells(const Connection& connection, std::span<const HranaValue> row) : connection_(connection), row_(row) {}

  void Next() { row_ = row_.subspan(1); }
  bool Null() const { return Is(HranaValue::Type::kNull); }
  std::optional<std::string_view> Text() const {
    return Is(HranaValue::Type::kText) ? std::optional(row_.front().text) : std::nullopt;
  }
  std::optional<int64_t> Integer() const {
    return Is(HranaValue::Type::kInteger) ? std::optional(row_.front().integer) : std::nullopt;
  }
  std::optional<bool> Bool() const {
    const std::optional<int64_t> number = Integer();
    return number == 0 || number == 1 ? std::optional(number == 1) : std::nullopt;
  }
  std::optional<Timestamp> Time() const {
    return Is(HranaValue::Type::kText) ? Timestamp::Parse(row_.front().text) : std::nullopt;
  }
  StoredValue Raw() const { return ValueOf(row_.front()); }
  StoredValue RawTime() const { return Raw(); }
  [[noreturn]] void Refuse(std::string_view table, std::string_view column, std::string_view expected) const;

 private:
  bool Is(HranaValue::Type type) const { return row_.front().type == type; }

  const Connection& connection_;
  std::span<const HranaValue> row_;  // from the current cell on
};
using RowReader = flaky::RowReader<Cells>;

// Adds the fields it visits to a statement's parameters.
class RowWriter {
 public:
  explicit RowWriter(HranaStatement& statement) : statement_(statement) {}

  void operator()(std::string_view, const std::string& value) { statement_.Text(value); }
  void operator()(std::string_view, const Timestamp& value) { statement_.Text(value.ToString()); }
  void operator()(std::string_view, const int64_t& value) { statement_.Integer(value); }
  void operator()(std::string_view, const bool& value) { statement_.Integer(value ? 1 : 0); }
  template <typename T>
  void operator()(std::string_view name, const std::optional<T>& value) {
    value ? (*this)(name, *value) : static_cast<void>(statement_.Null());
  }

 private:
  HranaStatement& statement_;
};

// Rows to be inserted into one table. They are sent as JSON arrays, several hundred rows in one parameter, which the
// server parses 1.5 times as fast as bound values. A row with long texts is sent by itself, as bound values.
class RowInsertion {
 public:
  // `into`: InsertInto(…); `conflict`: the ON CONFLICT clause.
  RowInsertion(const std::string& into, size_t columns, const std::string& conflict = "");

  // Adds a row. `visit` is called with a visitor, and passes the row's fields to it.
  template <typename Visit>
  void Add(Visit&& visit) {
    const size_t before = rows_.size();
    rows_ += rows_.empty() ? "[[" : ",[";
    JsonFields fields(rows_);
    visit(fields);
    rows_ += ']';
    if (rows_.size() - before <= kMostRowBytes) {
      if (rows_.size() > kMostParameterBytes) Close();
      return;
    }
    rows_.resize(before);
    Close();
    HranaStatement& statement = statements_.emplace_back(bound_sql_);
    RowWriter bind(statement);
    visit(bind);
  }

  // Appends the statements that insert the added rows to `statements`.
  void MoveTo(std::vector<HranaStatement>& statements);

 private:
  // A parameter may have 5,000,000 bytes. One of half a megabyte is parsed the fastest.
  static constexpr size_t kMostParameterBytes = 512 << 10;
  static constexpr size_t kMostRowBytes = 1 << 20;

  class JsonFields {
   public:
    explicit JsonFields(std::string& row) : row_(row) {}
    void operator()(std::string_view, const std::string& value) { AppendJson(Next(), value); }
    void operator()(std::string_view, const Timestamp& value) { AppendJson(Next(), value.ToString()); }
    void operator()(std::string_view, const int64_t& value) { Next() += std::to_string(value); }
    void operator()(std::string_view, const bool& value) { Next() += value ? '1' : '0'; }
    template <typename T>
    void operator()(std::string_view name, const std::optional<T>& value) {
      value ? (*this)(name, *value) : static_cast<void>(Next() += "null");
    }

   private:
    std::string& Next() {
      if (!first_) row_ += ',';
      first_ = false;
      return row_;
    }
    std::string& row_;
    bool first_ = true;
  };

  void Close();

  std::string json_sql_;
  std::string bound_sql_;
  std::string rows_;
  std::vector<HranaStatement> statements_;
};

}  // namespace flaky::turso

#endif  // FLAKY_STORES_TURSO_COLUMNS_H_
