#include "stores/turso/columns.h"

#include <algorithm>
#include <iterator>

namespace flaky {

StoredValue ValueOf(const HranaValue& value) {
  using Type = StoredValue::Type;
  switch (value.type) {
    case HranaValue::Type::kNull:
      return {};
    case HranaValue::Type::kInteger:
      return {Type::kInteger, value.integer, 0, {}};
    case HranaValue::Type::kFloat:
      return {Type::kReal, 0, value.real, {}};
    case HranaValue::Type::kText:
    case HranaValue::Type::kRawText:
      return {Type::kText, 0, 0, value.text};
    case HranaValue::Type::kBlob:
      return {Type::kBlob, 0, 0, value.text};
  }
  return {};
}

void TursoFields::operator()(std::string_view name, Timestamp& value) {
  const HranaValue& stored = row_[next_++];
  const auto time = stored.type == HranaValue::Type::kText ? Timestamp::Parse(stored.text) : std::nullopt;
  value = time ? *time : convert_.RequiredTime(name, ValueOf(stored));
}

void TursoFields::operator()(std::string_view name, std::optional<Timestamp>& value) {
  const HranaValue& stored = row_[next_++];
  value = stored.type == HranaValue::Type::kText ? Timestamp::Parse(stored.text) : std::nullopt;
  if (!value) value = convert_.Time(name, ValueOf(stored));
}

void TursoFields::operator()(std::string_view name, std::optional<int64_t>& value) {
  const HranaValue& stored = row_[next_++];
  if (stored.type == HranaValue::Type::kInteger) {
    value = stored.integer;
  } else {
    value = convert_.Number(name, ValueOf(stored));
  }
}

void TursoFields::operator()(std::string_view name, std::optional<bool>& value) {
  value = convert_.Bool(name, ValueOf(row_[next_++]));
}

std::string TursoFields::Converted(std::string_view name, const HranaValue& value) {
  if (value.type == HranaValue::Type::kRawText) {
    if (name == "run_id") {
      connection_.Fail(ErrorKind::kInvalid, "read runs", "the run_id " + ShownText(value.text) + " is no UTF-8");
    }
    return convert_.RawText(name, value.text);
  }
  if (name == "run_id") Refuse(name, "text");
  return convert_.Text(name, ValueOf(value));
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
