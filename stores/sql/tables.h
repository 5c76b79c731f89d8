#ifndef FLAKY_STORES_SQL_TABLES_H_
#define FLAKY_STORES_SQL_TABLES_H_

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "history/failure_view.h"

// What every SQL store needs to know about the tables (docs/reference/data-model.md), in any dialect.
namespace flaky {

// The columns that hold the fields of history/fields.h, in that order.
struct FieldColumns {
  std::vector<std::string> runs;
  std::vector<std::string> parts;     // without run_id
  std::vector<std::string> failures;  // without id and run_id
};
const FieldColumns& Columns();

// `a = ?, b = ?`: for UPDATE.
std::string Assignments(const std::vector<std::string>& columns);

// The columns that a table of this name (without the prefix) has had from the beginning, in the npm packages' first
// version or in ours.
struct TableShape {
  std::string_view name;
  std::vector<std::string> columns;
};
std::span<const TableShape> TableShapes();

using ColumnSet = std::set<std::string, std::less<>>;

// The columns of each table of TableShapes, in lower case, by the table's name with the prefix. Empty: there is no
// such table.
using TableColumns = std::map<std::string, ColumnSet, std::less<>>;

// Throws StoreError (kMissing, naming the table) if one of the tables is missing without which there is no history.
void RequireTables(const std::string& store, std::string_view prefix, const TableColumns& columns);

// Throws StoreError (kInvalid, naming the table and the missing columns) if a table with one of our names isn't this
// program's or the npm packages'.
void CheckTablesAreOurs(const std::string& store, std::string_view prefix, const TableColumns& columns);

// Reads a row of VisitFailures column by column. `fields` is the store's reader of columns.
template <typename Fields>
FailureView ReadView(Fields& fields) {
  FailureView view;
  fields("run_id", view.run_id);
  fields("id", view.id);
  fields("test_file", view.test_file);
  fields("test_name", view.test_name);
  fields("failure_kind", view.failure_kind);
  fields("error_message", view.error_message);
  fields("error_stack", view.error_stack);
  fields("failed_at", view.failed_at);
  std::optional<Timestamp> ended_at;
  fields("ended_at", ended_at);
  view.run_ended = ended_at.has_value();
  fields("failed_tests", view.run_failed_tests);
  return view;
}

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_TABLES_H_
