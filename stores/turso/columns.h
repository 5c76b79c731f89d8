#ifndef FLAKY_STORES_TURSO_COLUMNS_H_
#define FLAKY_STORES_TURSO_COLUMNS_H_

#include <cstdint>
#include <forward_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "history/text.h"
#include "history/time.h"
#include "stores/sql/bad_value.h"
#include "stores/turso/connection.h"
#include "stores/turso/hrana_request.h"
#include "stores/turso/hrana_value.h"

// How the fields of history/fields.h go into a server's rows and come back.
namespace flaky {

// Sets the fields it visits from the values of a row, in turn, and adds up the texts' sizes. A value that is none of
// the field's type is converted (stores/sql/bad_value.h), unless it is an id: then StoreError (kInvalid) is thrown.
class TursoFields {
 public:
  // The row must live as long as this. `table` and `told` as in ValueConverter.
  TursoFields(const TursoConnection& connection, std::span<const HranaValue> row, std::string_view table,
              std::vector<Conversion>* told)
      : connection_(connection), row_(row), table_(table), convert_(table, told) {}

  void operator()(std::string_view name, std::string& value) {
    const HranaValue& stored = row_[next_++];
    if (stored.type == HranaValue::Type::kText) {
      value = stored.text;
    } else {
      value = Converted(name, stored);
    }
    text_bytes_ += value.size();
  }
  // A view lives as long as the answer and this object.
  void operator()(std::string_view name, std::string_view& value) {
    const HranaValue& stored = row_[next_++];
    value = stored.type == HranaValue::Type::kText ? stored.text : held_.emplace_front(Converted(name, stored));
    text_bytes_ += value.size();
  }
  void operator()(std::string_view name, Timestamp& value);
  void operator()(std::string_view name, std::optional<Timestamp>& value);
  void operator()(std::string_view name, std::optional<int64_t>& value);
  void operator()(std::string_view name, std::optional<bool>& value);
  // An id, or a number of the server's own.
  void operator()(std::string_view name, int64_t& value) {
    const HranaValue& stored = row_[next_++];
    if (stored.type != HranaValue::Type::kInteger) Refuse(name, "integer");
    value = stored.integer;
  }
  // Of texts.
  template <typename T>
  void operator()(std::string_view name, std::optional<T>& value) {
    if (row_[next_].type == HranaValue::Type::kNull) {
      ++next_;
      value.reset();
    } else {
      (*this)(name, value.emplace());
    }
  }

  size_t text_bytes() const { return text_bytes_; }

 private:
  std::string Converted(std::string_view name, const HranaValue& value);
  [[noreturn]] void Refuse(std::string_view name, std::string_view wanted) const;

  const TursoConnection& connection_;
  std::span<const HranaValue> row_;
  std::string_view table_;
  ValueConverter convert_;
  size_t next_ = 0;
  size_t text_bytes_ = 0;
  std::forward_list<std::string> held_;  // texts made of something else
};

StoredValue ValueOf(const HranaValue& value);

// Gives the fields it visits to a statement as its parameters.
class TursoBinder {
 public:
  explicit TursoBinder(HranaStatement& statement) : statement_(statement) {}

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

// Rows to be inserted into one table. They travel as JSON arrays, several hundred rows in one parameter, which the
// server takes apart half as fast again as bound values; a row of long texts goes by itself, as bound values.
class RowInsertion {
 public:
  // `into`: InsertInto(…); `conflict`: what stands behind the rows.
  RowInsertion(const std::string& into, size_t columns, const std::string& conflict = "");

  // Adds the row whose fields `visit` shows to the visitor that it is given.
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
    TursoBinder bind(statement);
    visit(bind);
  }

  // Moves what inserts all that was added behind the statements.
  void MoveTo(std::vector<HranaStatement>& statements);

 private:
  // A parameter may have 5,000,000 bytes, and one of half a megabyte is taken apart the fastest.
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

}  // namespace flaky

#endif  // FLAKY_STORES_TURSO_COLUMNS_H_
