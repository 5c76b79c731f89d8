// SPDX-License-Identifier: MIT
#include "stores/postgres/columns.h"

#include "stores/sql/bad_value.h"

namespace flaky::postgres {
namespace {

// Describes a time that TimeOfHex can't return.
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

std::string SelectColumns(std::string_view alias, const std::vector<TypedColumn>& columns, const ColumnSet& present) {
  std::string list;
  for (const TypedColumn& column : columns) {
    std::string value = std::string(alias) + "." + column.name;
    if (!present.empty() && !present.contains(column.name)) {
      value = "NULL::text";
    } else if (column.type == ColumnType::kTime) {
      value = "pg_catalog.encode(pg_catalog.timestamptz_send(" + value + "), 'hex')";
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

RowWriter::RowWriter(const std::vector<TypedColumn>& columns) : columns_(columns) {
  for (const TypedColumn& column : columns) arrays_.emplace_back(column.type);
}

size_t RowWriter::bytes() const {
  size_t bytes = 0;
  for (const BinaryArray& array : arrays_) bytes += array.bytes();
  return bytes;
}

std::string RowWriter::Unnest(BinaryValues& values) {
  std::string sql = "ROWS FROM (";
  for (size_t i = 0; i < arrays_.size(); ++i) {
    values.push_back(arrays_[i].Take());
    sql += (i == 0 ? "pg_catalog.unnest($" : ", pg_catalog.unnest($") + std::to_string(values.size()) + "::";
    sql += std::string(SqlName(columns_[i].type)) + "[])";
  }
  return sql + ")";
}

std::optional<int64_t> Cells::Integer() const {
  const StoredValue stored = Raw();
  return stored.type == StoredValue::Type::kInteger ? std::optional(stored.integer) : std::nullopt;
}

std::optional<bool> Cells::Bool() const {
  const auto text = Text();
  return text == "t" || text == "f" ? std::optional(text == "t") : std::nullopt;
}

std::optional<Timestamp> Cells::Time() const {
  const auto hex = Text();
  return hex ? TimeOfHex(*hex) : std::nullopt;
}

StoredValue Cells::Raw() const {
  const auto text = Text();
  return text ? NumberIn(*text) : StoredValue();
}

StoredValue Cells::RawTime() const {
  const auto hex = Text();
  return hex ? OddTime(*hex) : StoredValue();
}

void Cells::Refuse(std::string_view table, std::string_view column, std::string_view) const {
  RefuseId(connection_.name(), connection_.Name(table), column, std::string(column) + " IS NULL");
}

}  // namespace flaky::postgres
