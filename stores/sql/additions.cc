// SPDX-License-Identifier: MIT
#include "stores/sql/additions.h"

#include <algorithm>

namespace flaky {
namespace {

// Returns the columns that a table of ours may have.
ColumnSet KnownColumns(const TableShape& shape) {
  ColumnSet known(shape.columns.begin(), shape.columns.end());
  const FieldColumns& fields = Columns();
  if (shape.name == "runs") known.insert(fields.runs.begin(), fields.runs.end());
  if (shape.name == "parts") known.insert(fields.parts.begin(), fields.parts.end());
  if (shape.name == "failures") {
    known.insert(fields.failures.begin(), fields.failures.end());
    known.insert("project");
  }
  return known;
}

// Returns true if the table is one of the histories with this prefix.
bool IsOf(std::string_view prefix, std::string_view table) {
  return std::ranges::any_of(TableShapes(), [&](const TableShape& shape) {
    return table.starts_with(prefix) && table.substr(prefix.size()) == shape.name;
  });
}

}  // namespace

std::vector<std::string> AdditionsTo(std::string_view prefix, const TableColumns& columns,
                                     std::span<const std::string> tables, std::span<const std::string> other_prefixes) {
  std::vector<std::string> additions;
  for (const TableShape& shape : TableShapes()) {
    const auto present = columns.find(std::string(prefix) + std::string(shape.name));
    if (present == columns.end()) continue;
    const ColumnSet known = KnownColumns(shape);
    for (const std::string& column : present->second) {
      if (!known.contains(column)) additions.push_back("the column " + present->first + '.' + column);
    }
  }
  for (const std::string& table : tables) {
    const auto has_it = [&](std::string_view other) { return IsOf(other, table); };
    const bool is_of_npm = table == "runs" || table == "failures";
    if (is_of_npm || has_it(prefix) || std::ranges::any_of(other_prefixes, has_it)) continue;
    if (!table.starts_with("sqlite_")) additions.push_back("the table " + table);
  }
  return additions;
}

}  // namespace flaky
