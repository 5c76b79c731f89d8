#include "stores/sqlite/columns.h"

#include "history/text.h"

namespace flaky {
namespace {

constexpr size_t kShownBytes = 60;

// A value for an error message: short, and harmless on a terminal.
std::string Shown(const SQLite::Column& column) {
  if (column.isNull()) return "NULL";
  if (column.isBlob()) return "a blob";
  std::string text = CutTo(MakeStorable(column.getText()), kShownBytes);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return "'" + text + "'";
}

[[noreturn]] void RefuseValue(const SqliteConnection& connection, const SQLite::Column& column, std::string_view run_id,
                              std::string_view name, std::string_view wanted) {
  connection.Fail(
      ErrorKind::kInvalid, "read run '" + std::string(run_id) + "'",
      "its column '" + std::string(name) + "' holds " + Shown(column) + ", which is not " + std::string(wanted));
}

}  // namespace

const FieldColumns& Columns() {
  static const FieldColumns columns = [] {
    FieldColumns lists;
    const auto add_to = [](std::vector<std::string>& list) {
      return [&list](std::string_view name, const auto&) { list.emplace_back(name); };
    };
    const RunRecord none{{}, {Part()}, {Failure()}, {}};
    VisitRun(none.run, add_to(lists.runs));
    VisitPart(none.parts.front(), add_to(lists.parts));
    VisitFailure(none.failures.front(), add_to(lists.failures));
    return lists;
  }();
  return columns;
}

Timestamp ReadTime(const SqliteConnection& connection, const SQLite::Column& column, std::string_view run_id,
                   std::string_view name) {
  if (column.isText()) {
    const char* text = column.getText();
    if (const auto time = Timestamp::Parse({text, static_cast<size_t>(column.getBytes())})) return *time;
  }
  RefuseValue(connection, column, run_id, name, "a time (YYYY-MM-DDTHH:MM:SS.mmmZ)");
}

void FieldReader::operator()(std::string_view name, Timestamp& value) {
  value = ReadTime(connection_, statement_.getColumn(next_++), run_id_, name);
}

void FieldReader::operator()(std::string_view name, bool& value) {
  const SQLite::Column column = Take(name, SQLite::INTEGER, "0 or 1");
  const int64_t number = column.getInt64();
  if (number != 0 && number != 1) Refuse(name, column, "0 or 1");
  value = number == 1;
}

void FieldReader::Refuse(std::string_view name, const SQLite::Column& column, std::string_view wanted) const {
  RefuseValue(connection_, column, run_id_, name, wanted);
}

}  // namespace flaky
