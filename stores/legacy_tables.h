#ifndef FLAKY_STORES_LEGACY_TABLES_H_
#define FLAKY_STORES_LEGACY_TABLES_H_

#include <cstdint>
#include <string>
#include <vector>

// What LookAtTables and DropTables (stores/open.h) report.
namespace flaky {

// How many rows a history's tables have. Everything that a program adds to a history changes one of the numbers.
struct RowCounts {
  int64_t runs = 0;
  int64_t ended = 0;  // of the runs
  int64_t parts = 0;
  int64_t failures = 0;
  int64_t orphans = 0;  // of the failures: those of no run, which reading runs does not show

  bool operator==(const RowCounts&) const = default;
};

struct LegacyTables {
  std::vector<std::string> names;  // with the prefix; a table comes before those that it refers to
  RowCounts rows;
};

}  // namespace flaky

#endif  // FLAKY_STORES_LEGACY_TABLES_H_
