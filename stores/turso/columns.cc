// SPDX-License-Identifier: MIT
#include "stores/turso/columns.h"

#include <algorithm>
#include <iterator>

namespace flaky::turso {

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

void Cells::Refuse(std::string_view table, std::string_view column, std::string_view expected) const {
  if (expected == "text" && Is(HranaValue::Type::kRawText)) {
    connection_.Fail(ErrorKind::kInvalid, "read runs",
                     "the " + std::string(column) + " " + ShownText(row_.front().text) + " is not valid UTF-8");
  }
  RefuseId(connection_.name(), connection_.tables().Name(table), column, TypeIsNot(column, expected));
}

RowInsertion::RowInsertion(const std::string& into, size_t columns, const std::string& conflict) {
  std::string elements, marks;
  for (size_t i = 0; i < columns; ++i) {
    elements += (i == 0 ? "value->>" : ", value->>") + std::to_string(i);
    marks += i == 0 ? "?" : ", ?";
  }
  // Without WHERE, the parser would take ON CONFLICT for the beginning of a join.
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

}  // namespace flaky::turso
