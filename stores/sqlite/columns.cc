#include "stores/sqlite/columns.h"

namespace flaky {

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

void FieldReader::operator()(std::string_view name, Timestamp& value) {
  const StoredValue stored = ValueOf(Next());
  const auto time = stored.type == StoredValue::Type::kText ? TimeOf(stored) : std::nullopt;
  value = time ? *time : convert_.RequiredTime(name, stored);
}

void FieldReader::operator()(std::string_view name, std::optional<Timestamp>& value) {
  const StoredValue stored = ValueOf(Next());
  value = stored.type == StoredValue::Type::kText ? TimeOf(stored) : std::nullopt;
  if (!value) value = convert_.Time(name, stored);
}

std::string FieldReader::Converted(std::string_view name, const SQLite::Column& column) const {
  if (name == "run_id") Refuse(name, "text");
  return convert_.Text(name, ValueOf(column));
}

void FieldReader::Refuse(std::string_view name, std::string_view wanted) const {
  RefuseId(connection_.name(), connection_.tables().Name(table_), name, TypeIsNot(name, wanted));
}

}  // namespace flaky
