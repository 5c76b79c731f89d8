#ifndef FLAKY_STORES_TABLES_H_
#define FLAKY_STORES_TABLES_H_

#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What every SQL store has to know of the tables (docs/reference/data-model.md), whatever the dialect.
namespace flaky {

// The columns that hold the fields of history/fields.h, in that order.
struct FieldColumns {
  std::vector<std::string> runs;
  std::vector<std::string> parts;     // without run_id
  std::vector<std::string> failures;  // without id and run_id
};
const FieldColumns& Columns();

// `a, b, c`: the items, each with the suffix.
std::string Join(const std::vector<std::string>& items, std::string_view suffix = "");

// What a table of this name, behind the prefix, has had from the beginning: in the npm packages' first version or in
// ours.
struct TableShape {
  std::string_view name;
  std::vector<std::string> columns;
};
std::span<const TableShape> TableShapes();

using ColumnSet = std::set<std::string, std::less<>>;

// Throws StoreError (kInvalid, naming table and columns) when a table that bears one of our names is not this program's
// or the npm packages'. `columns_of` gives the columns of the table with this whole name, none where it is not there.
void CheckTablesAreOurs(const std::string& store, std::string_view prefix,
                        const std::function<ColumnSet(const std::string& table)>& columns_of);

}  // namespace flaky

#endif  // FLAKY_STORES_TABLES_H_
