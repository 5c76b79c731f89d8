// SPDX-License-Identifier: MIT
#include "stores/sql/drop_tables.h"

#include <algorithm>

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

std::string RowCountsQuery(std::string_view prefix, const std::vector<std::string>& tables) {
  const std::string of = std::string(prefix);
  const bool has_parts = std::ranges::find(tables, of + "parts") != tables.end();
  const std::string runs = '"' + of + "runs\"";
  const std::string failures = '"' + of + "failures\"";
  return "SELECT (SELECT count(*) FROM " + runs + "), (SELECT count(ended_at) FROM " + runs + "), " +
         (has_parts ? "(SELECT count(*) FROM \"" + of + "parts\")" : "0") + ", (SELECT count(*) FROM " + failures +
         "), (SELECT count(*) FROM " + failures + " AS f WHERE NOT EXISTS (SELECT 1 FROM " + runs +
         " AS r WHERE r.run_id = f.run_id))";
}

std::vector<std::string> DropStatements(const std::vector<std::string>& tables) {
  std::vector<std::string> statements;
  for (const std::string& table : tables) statements.push_back("DROP TABLE \"" + table + '"');
  return statements;
}

}  // namespace flaky
