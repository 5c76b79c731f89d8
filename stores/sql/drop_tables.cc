// SPDX-License-Identifier: MIT
#include "stores/sql/drop_tables.h"

#include <algorithm>

#include "stores/sql/boundaries.h"

namespace flaky {

std::vector<std::string> TablesToDrop(const std::string& store, std::string_view prefix, const TableColumns& columns) {
  CheckTablesAreOurs(store, prefix, columns);
  RequireTables(store, prefix, columns);
  std::vector<std::string> tables;
  for (const std::string_view name : {"failures", "parts", "runs", "rosters", "claims", "schema"}) {
    std::string table = std::string(prefix) + std::string(name);
    if (!columns.at(table).empty()) tables.push_back(std::move(table));
  }
  return tables;
}

std::string RowCountsQuery(std::string_view prefix, const std::vector<std::string>& tables, std::string_view scope) {
  const std::string of = std::string(prefix);
  const bool has_parts = std::ranges::find(tables, of + "parts") != tables.end();
  const auto named = [&](const char* table) { return std::string(scope) + '"' + of + table + '"'; };
  const std::string runs = named("runs");
  const std::string failures = named("failures");
  return "SELECT (SELECT count(*) FROM " + runs + "), (SELECT count(ended_at) FROM " + runs + "), " +
         (has_parts ? "(SELECT count(*) FROM " + named("parts") + ")" : "0") + ", (SELECT count(*) FROM " + failures +
         "), (SELECT count(*) FROM " + failures + " AS f WHERE NOT EXISTS (SELECT 1 FROM " + runs +
         " AS r WHERE r.run_id = f.run_id))";
}

std::vector<std::string> DropStatements(std::string_view prefix, const std::vector<std::string>& tables,
                                        std::string_view scope) {
  std::vector<std::string> statements;
  for (const std::string& view : NamesOfViews(prefix)) {
    statements.push_back("DROP VIEW IF EXISTS " + std::string(scope) + '"' + view + '"');
  }
  for (const std::string& table : tables) statements.push_back("DROP TABLE " + std::string(scope) + '"' + table + '"');
  return statements;
}

}  // namespace flaky
