// SPDX-License-Identifier: MIT
#include "stores/sqlite/columns.h"

namespace flaky::sqlite {

StoredValue ValueOf(const SQLite::Column& column) {
  using Type = StoredValue::Type;
  const auto size = [&] { return static_cast<size_t>(column.getBytes()); };
  if (column.isInteger()) return {Type::kInteger, column.getInt64(), 0, {}};
  if (column.isFloat()) return {Type::kReal, 0, column.getDouble(), {}};
  if (column.isText()) {
    const char* text = column.getText();
    return {Type::kText, 0, 0, {text, size()}};
  }
  if (column.isBlob()) {
    const auto* bytes = static_cast<const char*>(column.getBlob());  // null: it is empty
    return {Type::kBlob, 0, 0, bytes == nullptr ? std::string_view() : std::string_view(bytes, size())};
  }
  return {};
}

void Cells::Refuse(std::string_view table, std::string_view column, std::string_view expected) const {
  RefuseId(connection_.name(), connection_.tables().Name(table), column, TypeIsNot(column, expected));
}

}  // namespace flaky::sqlite
