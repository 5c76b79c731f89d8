// SPDX-License-Identifier: MIT
#include "stores/sql/tables.h"

#include <algorithm>
#include <initializer_list>
#include <iterator>

#include "history/fields.h"
#include "history/text.h"
#include "stores/error.h"

namespace flaky {
namespace {

std::vector<std::string> With(std::vector<std::string> columns, std::initializer_list<const char*> more) {
  columns.insert(columns.end(), more.begin(), more.end());
  return columns;
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

std::string Assignments(const std::vector<std::string>& columns) {
  return Join(columns, ", ", [](const std::string& column) { return column + " = ?"; });
}

std::span<const TableShape> TableShapes() {
  static const std::vector<TableShape> shapes = {
      {"runs",
       {"run_id", "started_at", "ended_at", "duration_ms", "status", "total_tests", "failed_tests", "git_sha",
        "git_dirty"}},
      {"failures",
       {"id", "run_id", "test_file", "test_name", "failure_kind", "error_message", "error_stack", "duration_ms",
        "failed_at"}},
      {"parts", With(Columns().parts, {"run_id"})},
      {"rosters", {"roster_id", "tests"}},
      {"claims", {"name", "holder", "lapses_at"}},
      {"schema", {"version", "name", "checksum", "applied_at"}},
  };
  return shapes;
}

void CheckTablesAreOurs(const std::string& store, std::string_view prefix, const TableColumns& columns) {
  for (const TableShape& shape : TableShapes()) {
    const std::string table = std::string(prefix) + std::string(shape.name);
    const ColumnSet& present = columns.at(table);
    if (present.empty()) continue;
    std::vector<std::string> missing;
    std::ranges::copy_if(shape.columns, std::back_inserter(missing),
                         [&](const std::string& column) { return !present.contains(column); });
    if (missing.empty()) continue;
    throw StoreError(
        ErrorKind::kInvalid, store, "use the tables", "",
        "its table '" + table + "' was not made by flaky: it lacks " + Join(missing, ", ") +
            "; choose another prefix (FLAKY_TESTS_TABLE_PREFIX, or '?prefix=' in the location) or database");
  }
}

void RequireTables(const std::string& store, std::string_view prefix, const TableColumns& columns) {
  for (const std::string_view name : {"runs", "failures"}) {
    const std::string table = std::string(prefix) + std::string(name);
    if (!columns.at(table).empty()) continue;
    throw StoreError(ErrorKind::kMissing, store, "read the history", "",
                     "it has no history: there is no table '" + table +
                         "' (FLAKY_TESTS_TABLE_PREFIX, or '?prefix=' in the location, sets another prefix)");
  }
}

}  // namespace flaky
