#include "stores/postgres/columns.h"

#include <charconv>

#include "stores/sql/bad_value.h"

namespace flaky {
namespace {

// A number in PostgreSQL's notation; of one that is none, the text.
StoredValue NumberIn(std::string_view text) {
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

// What TimeOfHex cannot give, in words.
StoredValue OddTime(std::string_view hex) {
  std::string_view words = hex < "8" ? "a time after the year 9999" : "a time before the year 0";
  if (hex == "7fffffffffffffff") words = "infinity";
  if (hex == "8000000000000000") words = "-infinity";
  return {StoredValue::Type::kText, 0, 0, words};
}

template <typename T>
struct Plain {
  using Type = T;
};
template <typename T>
struct Plain<std::optional<T>> {
  using Type = T;
};

template <typename T>
constexpr ColumnType TypeOf() {
  if constexpr (std::is_same_v<T, std::string>) return ColumnType::kText;
  if constexpr (std::is_same_v<T, int64_t>) return ColumnType::kNumber;
  if constexpr (std::is_same_v<T, Timestamp>) return ColumnType::kTime;
  if constexpr (std::is_same_v<T, bool>) return ColumnType::kBool;
}

}  // namespace

const TypedFields& TypedColumns() {
  static const TypedFields fields = [] {
    TypedFields lists;
    const auto add_to = [](std::vector<TypedColumn>& list) {
      return [&list]<typename T>(std::string_view name, const T&) {
        list.push_back({std::string(name), TypeOf<typename Plain<T>::Type>()});
      };
    };
    const RunRecord none{{}, {Part()}, {Failure()}, {}};
    VisitRun(none.run, add_to(lists.runs));
    VisitPart(none.parts.front(), add_to(lists.parts));
    VisitFailure(none.failures.front(), add_to(lists.failures));
    lists.parts.push_back({"run_id", ColumnType::kText});
    lists.failures.push_back({"run_id", ColumnType::kText});
    return lists;
  }();
  return fields;
}

std::string SelectColumns(std::string_view alias, const std::vector<TypedColumn>& columns, const ColumnSet* present) {
  std::string list;
  for (const TypedColumn& column : columns) {
    std::string value = std::string(alias) + "." + column.name;
    if (present != nullptr && !present->contains(column.name)) {
      value = "NULL::text";
    } else if (column.type == ColumnType::kTime) {
      value = "encode(timestamptz_send(" + value + "), 'hex')";
    }
    list += (list.empty() ? "" : ", ") + value + " AS " + column.name;
  }
  return list;
}

std::vector<std::string> NamesOf(const std::vector<TypedColumn>& columns) {
  std::vector<std::string> names;
  for (const TypedColumn& column : columns) names.push_back(column.name);
  return names;
}

RowArrays::RowArrays(const std::vector<TypedColumn>& columns) : columns_(columns) {
  for (const TypedColumn& column : columns) arrays_.emplace_back(column.type);
}

size_t RowArrays::bytes() const {
  size_t bytes = 0;
  for (const BinaryArray& array : arrays_) bytes += array.bytes();
  return bytes;
}

std::string RowArrays::Unnest(BinaryValues& values) {
  std::string sql;
  for (size_t i = 0; i < arrays_.size(); ++i) {
    values.push_back(arrays_[i].Take());
    sql += (i == 0 ? "unnest($" : ", $") + std::to_string(values.size()) + "::";
    sql += std::string(SqlName(columns_[i].type)) + "[]";
  }
  return sql + ")";
}

std::optional<std::string_view> PostgresFieldReader::Next() {
  const auto field = next_++;
  if (field->is_null()) return std::nullopt;
  return std::string_view(field->c_str(), static_cast<size_t>(field->size()));
}

std::string_view PostgresFieldReader::Text(std::string_view name) {
  const auto text = Next();
  if (text) return *text;
  if (name == "run_id") Refuse(name);
  convert_.Text(name, {});
  return {};
}

void PostgresFieldReader::operator()(std::string_view name, Timestamp& value) {
  const auto hex = Next();
  const auto time = hex ? TimeOfHex(*hex) : std::nullopt;
  value = time ? *time : convert_.RequiredTime(name, hex ? OddTime(*hex) : StoredValue());
}

void PostgresFieldReader::operator()(std::string_view name, std::optional<Timestamp>& value) {
  const auto hex = Next();
  value = hex ? TimeOfHex(*hex) : std::nullopt;
  if (hex && !value) value = convert_.Time(name, OddTime(*hex));
}

void PostgresFieldReader::operator()(std::string_view name, std::optional<int64_t>& value) {
  const auto text = Next();
  const StoredValue stored = text ? NumberIn(*text) : StoredValue();
  value = stored.type == StoredValue::Type::kInteger ? stored.integer : convert_.Number(name, stored);
}

void PostgresFieldReader::operator()(std::string_view name, std::optional<bool>& value) {
  const auto text = Next();
  if (text && (*text == "t" || *text == "f")) {
    value = *text == "t";
  } else {
    value = convert_.Bool(name, text ? NumberIn(*text) : StoredValue());
  }
}

void PostgresFieldReader::operator()(std::string_view name, int64_t& value) {
  const auto text = Next();
  const StoredValue stored = text ? NumberIn(*text) : StoredValue();
  if (stored.type != StoredValue::Type::kInteger) Refuse(name);
  value = stored.integer;
}

void PostgresFieldReader::Refuse(std::string_view name) const {
  RefuseId(connection_.name(), connection_.prefix() + std::string(table_), name, std::string(name) + " IS NULL");
}

}  // namespace flaky
