#ifndef FLAKY_STORES_SQL_LEGACY_TABLES_H_
#define FLAKY_STORES_SQL_LEGACY_TABLES_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stores/location.h"
#include "stores/sql/tables.h"

// Removing the tables of a history that was copied elsewhere. That it was is the caller's to know; here is that nothing
// changed since the caller looked.
namespace flaky {

// The rows of a history's tables, counted so that whatever a program adds to it changes a number.
struct RowCounts {
  int64_t runs = 0;
  int64_t ended = 0;  // of the runs
  int64_t parts = 0;
  int64_t failures = 0;
  int64_t orphans = 0;  // of the failures: of no run, so that nobody who reads runs meets them

  bool operator==(const RowCounts&) const = default;
};

struct LegacyTables {
  std::vector<std::string> names;  // whole ones, those that refer to others first
  RowCounts rows;
};

// The tables with the location's prefix that are this program's or the npm packages' `runs` and `failures`; with
// `drop_if` they are removed, in one transaction, if their rows are still so many. Removed or not, gives what there
// was. Throws StoreError, kMissing where there is no history, kInvalid for a store that this build does not have.
LegacyTables LookAtTables(const Location& location);
LegacyTables DropTables(const Location& location, const RowCounts& drop_if);

// What the stores need for it. Each has a function `LegacyTables Drop<Store>Tables(const Location&, const
// std::optional<RowCounts>&)` that only looks where there is no second argument.
//
// Which tables these are, as TableShapes has them; `columns_of` as in CheckTablesAreOurs.
std::vector<std::string> TablesToDrop(const std::string& store, std::string_view prefix,
                                      const std::function<ColumnSet(const std::string& table)>& columns_of);
// One row: the numbers of RowCounts, in order. `tables`: of TablesToDrop.
std::string RowCountsQuery(std::string_view prefix, const std::vector<std::string>& tables);
std::vector<std::string> DropStatements(const std::vector<std::string>& tables);

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_LEGACY_TABLES_H_
