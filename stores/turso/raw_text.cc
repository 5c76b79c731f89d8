// SPDX-License-Identifier: MIT
#include "stores/turso/raw_text.h"

#include <algorithm>

#include "history/text.h"

namespace flaky::turso {
namespace {

// JSON can contain such texts only.
bool IsUtf8(std::string text) {
  std::erase(text, '\0');
  return IsStorable(text);
}

}  // namespace

HranaStatement BoundAsIs(const std::string& sql, const std::vector<std::optional<std::string>>& values) {
  HranaStatement statement(sql);
  for (const auto& value : values) value && !IsUtf8(*value) ? statement.Blob(*value) : statement.TextOrNull(value);
  return statement;
}

std::string SelectedColumns(const std::string& columns, bool raw) {
  if (!raw) return columns;
  std::string list;
  for (size_t begin = 0; begin < columns.size();) {
    const size_t end = std::min(columns.find(", ", begin), columns.size());
    const std::string column = columns.substr(begin, end - begin);
    list += (begin == 0 ? "" : ", ") + ("CASE typeof(" + column) + ") WHEN 'text' THEN CAST('t' || " + column +
            " AS BLOB) WHEN 'blob' THEN CAST('b' || " + column + " AS BLOB) ELSE " + column + " END";
    begin = end + 2;
  }
  return list;
}

void TakeTags(std::span<HranaValue> values) {
  for (HranaValue& value : values) {
    if (value.type != HranaValue::Type::kBlob || value.text.empty()) continue;
    const bool is_text = value.text.front() == 't';
    value.text.remove_prefix(1);
    if (is_text) value.type = IsUtf8(std::string(value.text)) ? HranaValue::Type::kText : HranaValue::Type::kRawText;
  }
}

}  // namespace flaky::turso
