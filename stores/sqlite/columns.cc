#include "stores/sqlite/columns.h"

#include "stores/bad_value.h"

namespace flaky {
namespace {

std::string Shown(const SQLite::Column& column) {
  if (column.isNull()) return "NULL";
  if (column.isBlob()) return "a blob";
  return ShownText(column.getText());
}

}  // namespace

Timestamp ReadTime(const SqliteConnection& connection, const SQLite::Column& column, std::string_view run_id,
                   std::string_view name) {
  if (column.isText()) {
    const char* text = column.getText();
    if (const auto time = Timestamp::Parse({text, static_cast<size_t>(column.getBytes())})) return *time;
  }
  RefuseValue(connection.name(), run_id, name, Shown(column), kWantTime);
}

void FieldReader::operator()(std::string_view name, Timestamp& value) {
  value = ReadTime(connection_, statement_.getColumn(next_++), run_id_, name);
}

void FieldReader::operator()(std::string_view name, bool& value) {
  const SQLite::Column column = Take(name, SQLite::INTEGER, kWantBool);
  const int64_t number = column.getInt64();
  if (number != 0 && number != 1) Refuse(name, column, kWantBool);
  value = number == 1;
}

void FieldReader::Refuse(std::string_view name, const SQLite::Column& column, std::string_view wanted) const {
  RefuseValue(connection_.name(), run_id_, name, Shown(column), wanted);
}

}  // namespace flaky
