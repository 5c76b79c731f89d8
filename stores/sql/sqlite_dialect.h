// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SQL_SQLITE_DIALECT_H_
#define FLAKY_STORES_SQL_SQLITE_DIALECT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stores/sql/bad_value.h"
#include "stores/sql/tables.h"
#include "stores/store.h"

// The SQL that all stores with SQLite's dialect share. Values are always parameters; names of tables and columns are
// our own, with the checked prefix.
namespace flaky {

// The names of one history's tables.
struct SqliteTables {
  std::string prefix;

  std::string Name(std::string_view table) const { return prefix + std::string(table); }
  // Returns the name quoted for SQL.
  std::string operator()(std::string_view table) const { return '"' + Name(table) + '"'; }
};

// A run's time without Z, for the runs as `r`, written as in the index of migration 3. This makes text order equal to
// time order, for times with three fraction digits and with six.
inline constexpr char kStartedAt[] = "rtrim(r.started_at, 'Z')";

// Returns a time in that form.
std::string StartedAtText(Timestamp time);

// Returns the condition for values of another type: `typeof(id) <> 'integer'`.
std::string TypeIsNot(std::string_view column, std::string_view type);

// Returns the columns, each with the table's alias, or NULL if the table lacks it. If `present` is empty, it has all.
std::string SelectList(std::string_view alias, const std::vector<std::string>& columns, const ColumnSet& present);

// Conditions joined by AND, with the values of their parameters. An absent value is NULL; one that is not UTF-8 may
// also be bound as a blob.
class Conditions {
 public:
  void Add(const std::string& sql, std::vector<std::optional<std::string>> values);
  // For the runs as `r`. A window of time treats values that do not look like a time as kNoTime
  // (stores/sql/bad_value.h).
  void AddRuns(const RunFilter& filter, const std::string& started_at);

  // " WHERE …", or nothing.
  const std::string& sql() const { return sql_; }
  const std::vector<std::optional<std::string>>& values() const { return values_; }

 private:
  std::string sql_;
  std::vector<std::optional<std::string>> values_;
};

// What the runs are ordered by. With our index, the runs themselves have it.
struct RunOrder {
  std::string from;        // tables, with the runs as `r`
  std::string started_at;  // without Z
  std::string run_id;
};

// A page begins after this run.
struct PageStart {
  std::optional<std::string> started_at;  // in the form of the order; absent: NULL
  std::string run_id;
};
// Returns a query for the run of a key (the parameter): one column, the bytes of its time, or NULL if it has none.
std::string PlaceOfRun(const SqliteTables& tables);
// `stored`: that column; absent if there is no such row. If the run has changed since, the key decides.
PageStart PageStartOf(const RunKey& key, const std::optional<StoredValue>& stored);

// The runs from which a page is taken, in order: `FROM order.from` + conditions.sql() + order_by.
struct PageQuery {
  Conditions conditions;
  std::string order_by;
};
// The page has the runs of the first query, then those of the second, if there is one.
std::vector<PageQuery> QueriesOfPage(const PageRequest& request, const RunOrder& order,
                                     const std::optional<PageStart>& after);

// The query of VisitFailures: `rows`, with the columns in the order of ReadView (stores/sql/tables.h), ordered by
// failed_at and id.
struct FailuresQuery {
  std::string columns;  // their names, separated by ", "
  std::string rows;     // LIMIT may follow
  std::vector<std::optional<std::string>> values;
};
// `has_project`: the failures have that column, so that those of one project are found by the index.
FailuresQuery QueryOfFailures(const FailureFilter& filter, const SqliteTables& tables, bool has_project);

// Returns a query for the time of the run that started last, by the index: one column, and no row without runs.
std::string NewestRun(const SqliteTables& tables);

// One row: the numbers of runs, parts and failures. The conditions' values are bound `repeats` times in succession.
struct CountQuery {
  std::string sql;
  Conditions conditions;
  int repeats = 0;
};
CountQuery QueryOfCount(const RunFilter& filter, const SqliteTables& tables, bool has_parts);

// The statements of Store::Claim. Parameters, by number: 1 the holder, 2 the lease in seconds, 3 `instead_of`.
struct ClaimStatements {
  std::string take;     // 1, 2, 3
  std::string give_up;  // 1
  std::string look;     // no parameters; one row of holder and seconds left, or none
};
ClaimStatements StatementsOfClaim(const SqliteTables& tables);

// INSERT INTO table (columns).
std::string InsertInto(const std::string& table, const std::vector<std::string>& columns);

// Returns the columns followed by run_id.
std::vector<std::string> AndRunId(std::vector<std::string> columns);

// Returns the columns of a failure that are written: its fields, run_id and project.
std::vector<std::string> WrittenOfFailure();

// Returns the end of the statement that inserts a part: a stored part gets every column from the rejected row.
std::string OrReplacePart();

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_SQLITE_DIALECT_H_
