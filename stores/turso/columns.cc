#include "stores/turso/columns.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace flaky {
namespace {

std::string Shown(const HranaValue& value) {
  char number[32];
  switch (value.type) {
    case HranaValue::Type::kNull:
      return "NULL";
    case HranaValue::Type::kInteger:
      return "'" + std::to_string(value.integer) + "'";
    case HranaValue::Type::kFloat:
      std::snprintf(number, sizeof number, "'%.15g'", value.real);
      return number;
    case HranaValue::Type::kText:
      return ShownText(value.text);
    case HranaValue::Type::kBlob:
      return "a blob";
  }
  return {};
}

}  // namespace

void TursoFields::operator()(std::string_view name, Timestamp& value) {
  const HranaValue& stored = row_[next_++];
  const auto time = stored.type == HranaValue::Type::kText ? Timestamp::Parse(stored.text) : std::nullopt;
  if (!time) Refuse(name, stored, kWantTime);
  value = *time;
}

void TursoFields::operator()(std::string_view name, bool& value) {
  const HranaValue& stored = Take(name, HranaValue::Type::kInteger, kWantBool);
  if (stored.integer != 0 && stored.integer != 1) Refuse(name, stored, kWantBool);
  value = stored.integer == 1;
}

void TursoFields::Refuse(std::string_view name, const HranaValue& value, std::string_view wanted) const {
  RefuseValue(store_, run_id_, name, Shown(value), wanted);
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
