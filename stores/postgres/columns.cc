#include "stores/postgres/columns.h"

#include <charconv>

#include "stores/bad_value.h"

namespace flaky {
namespace {

constexpr std::string_view kWantMoment = "a moment in the years 0 to 9999";
constexpr std::string_view kWantTruth = "true or false";

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
  if constexpr (std::is_same_v<T, bool>) return ColumnType::kTruth;
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

std::string_view PostgresFieldReader::Take(std::string_view name, std::string_view wanted) {
  if (next_->is_null()) Refuse(name, "NULL", wanted);
  const std::string_view value(next_->c_str(), static_cast<size_t>(next_->size()));
  ++next_;
  return value;
}

void PostgresFieldReader::operator()(std::string_view name, Timestamp& value) {
  const std::optional<Timestamp> time = TimeOfHex(Take(name, kWantMoment));
  if (!time) Refuse(name, "one of another kind", kWantMoment);
  value = *time;
}

void PostgresFieldReader::operator()(std::string_view name, int64_t& value) {
  const std::string_view text = Take(name, kWantInteger);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) Refuse(name, ShownText(text), kWantInteger);
}

void PostgresFieldReader::operator()(std::string_view name, bool& value) {
  const std::string_view text = Take(name, kWantTruth);
  if (text != "t" && text != "f") Refuse(name, ShownText(text), kWantTruth);
  value = text == "t";
}

void PostgresFieldReader::Refuse(std::string_view name, const std::string& shown, std::string_view wanted) const {
  RefuseValue(connection_.name(), run_id_, name, shown, wanted);
}

}  // namespace flaky
