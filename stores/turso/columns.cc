#include "stores/turso/columns.h"

#include <algorithm>
#include <iterator>

namespace flaky {

StoredValue ValueOf(const HranaValue& value, std::string& held) {
  using Type = StoredValue::Type;
  switch (value.type) {
    case HranaValue::Type::kNull:
      return {};
    case HranaValue::Type::kInteger:
      return {Type::kInteger, value.integer, 0, {}};
    case HranaValue::Type::kFloat:
      return {Type::kReal, 0, value.real, {}};
    case HranaValue::Type::kText:
      return {Type::kText, 0, 0, value.text};
    case HranaValue::Type::kBlob:
      held = BytesOfBlob(value.text);
      return {Type::kBlob, 0, 0, held};
  }
  return {};
}

void TursoFields::operator()(std::string_view name, Timestamp& value) {
  const HranaValue& stored = row_[next_++];
  const auto time = stored.type == HranaValue::Type::kText ? Timestamp::Parse(stored.text) : std::nullopt;
  std::string held;
  value = time ? *time : convert_.RequiredTime(name, ValueOf(stored, held));
}

void TursoFields::operator()(std::string_view name, std::optional<Timestamp>& value) {
  const HranaValue& stored = row_[next_++];
  value = stored.type == HranaValue::Type::kText ? Timestamp::Parse(stored.text) : std::nullopt;
  std::string held;
  if (!value) value = convert_.Time(name, ValueOf(stored, held));
}

void TursoFields::operator()(std::string_view name, std::optional<int64_t>& value) {
  const HranaValue& stored = row_[next_++];
  std::string held;
  if (stored.type == HranaValue::Type::kInteger) {
    value = stored.integer;
  } else {
    value = convert_.Number(name, ValueOf(stored, held));
  }
}

void TursoFields::operator()(std::string_view name, std::optional<bool>& value) {
  std::string held;
  value = convert_.Truth(name, ValueOf(row_[next_++], held));
}

std::string TursoFields::Converted(std::string_view name, const HranaValue& value) {
  if (name == "run_id") Refuse(name, "text");
  std::string held;
  return convert_.Text(name, ValueOf(value, held));
}

void TursoFields::Refuse(std::string_view name, std::string_view wanted) const {
  RefuseId(connection_.name(), connection_.tables().Name(table_), name, TypeIsNot(name, wanted));
}

RowInsertion::RowInsertion(const std::string& into, size_t columns, const std::string& conflict) {
  std::string elements, marks;
  for (size_t i = 0; i < columns; ++i) {
    elements += (i == 0 ? "value->>" : ", value->>") + std::to_string(i);
    marks += i == 0 ? "?" : ", ?";
  }
  // Without a WHERE the grammar would take ON CONFLICT for the beginning of a join.
  json_sql_ = into + " SELECT " + elements + " FROM json_each(?) WHERE true" + conflict;
  bound_sql_ = into + " VALUES (" + marks + ")" + conflict;
}

void RowInsertion::Close() {
  if (rows_.empty()) return;
  rows_ += ']';
  statements_.emplace_back(json_sql_).Text(rows_);
  rows_.clear();
}

void RowInsertion::MoveTo(std::vector<HranaStatement>& statements) {
  Close();
  std::ranges::move(statements_, std::back_inserter(statements));
  statements_.clear();
}

}  // namespace flaky
