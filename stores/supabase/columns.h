#ifndef FLAKY_STORES_SUPABASE_COLUMNS_H_
#define FLAKY_STORES_SUPABASE_COLUMNS_H_

#include <simdjson.h>

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
#include "stores/supabase/connection.h"

// How the fields of history/fields.h go into the arrays that the functions take, and come back (what they look like:
// stores/schema/supabase/0001_functions.sql).
namespace flaky {

// A time as PostgreSQL reads it, which has no year 0 but one before Christ. Bounds may lie outside of what a text can
// hold: they are infinite.
std::string SupabaseTime(Timestamp time);

// Appends a JSON array of the fields it visits: texts and null.
class SupabaseRow {
 public:
  explicit SupabaseRow(std::string& out) : out_(out) { out_ += '['; }

  void operator()(std::string_view, const std::string& value) { AppendJson(Next(), value); }
  void operator()(std::string_view, const Timestamp& value) { AppendJson(Next(), SupabaseTime(value)); }
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

// Sets the fields it visits from an array's elements, in turn. What an older function did not send is absent. A value
// that is none of the field's type is converted (stores/sql/bad_value.h), unless it is an id: then StoreError
// (kInvalid) is thrown.
class SupabaseFields {
 public:
  // The row must live as long as this. `table` and `told` as in ValueConverter.
  SupabaseFields(const SupabaseConnection& connection, simdjson::dom::array row, std::string_view table,
                 std::vector<Conversion>* told = nullptr)
      : connection_(connection), table_(table), convert_(table, told), next_(row.begin()), end_(row.end()) {}

  void operator()(std::string_view name, std::string& value) { value = Text(name); }
  // A view lives as long as the answer and this object.
  void operator()(std::string_view name, std::string_view& value) { value = Text(name); }
  void operator()(std::string_view name, Timestamp& value);
  void operator()(std::string_view name, std::optional<Timestamp>& value);
  void operator()(std::string_view name, std::optional<int64_t>& value);
  void operator()(std::string_view name, std::optional<bool>& value);
  // An id, or a number of the server's own.
  void operator()(std::string_view name, int64_t& value);
  // Of texts.
  template <typename T>
  void operator()(std::string_view, std::optional<T>& value) {
    const std::optional<std::string_view> text = Next();
    value.reset();
    if (text) value.emplace(*text);
  }

 private:
  // The next element's text; absent for null, and behind the end.
  std::optional<std::string_view> Next();
  std::string_view Text(std::string_view name);
  [[noreturn]] void Refuse(std::string_view name) const;

  const SupabaseConnection& connection_;
  std::string_view table_;
  ValueConverter convert_;
  simdjson::dom::array::iterator next_;
  simdjson::dom::array::iterator end_;
  std::forward_list<std::string> held_;  // texts made of something else
};

}  // namespace flaky

#endif  // FLAKY_STORES_SUPABASE_COLUMNS_H_
