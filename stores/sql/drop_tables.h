// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SQL_DROP_TABLES_H_
#define FLAKY_STORES_SQL_DROP_TABLES_H_

#include <string>
#include <string_view>
#include <vector>

#include "stores/sql/tables.h"

// The SQL of Driver::look_or_drop (stores/driver.h).
namespace flaky {

// Returns which of the tables with this prefix are this program's or the npm packages', in the order of
// LegacyTables::names. Throws as CheckTablesAreOurs and RequireTables do.
std::vector<std::string> TablesToDrop(const std::string& store, std::string_view prefix, const TableColumns& columns);

// The query for one row: the numbers of RowCounts (stores/legacy_tables.h), in order. `tables`: of TablesToDrop.
// `scope`: what is in front of the quoted names of the tables, such as `"public".`.
std::string RowCountsQuery(std::string_view prefix, const std::vector<std::string>& tables,
                           std::string_view scope = {});

// The statements that drop the views and then these tables.
std::vector<std::string> DropStatements(std::string_view prefix, const std::vector<std::string>& tables,
                                        std::string_view scope = {});

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_DROP_TABLES_H_
