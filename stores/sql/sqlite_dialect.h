#ifndef FLAKY_STORES_SQL_SQLITE_DIALECT_H_
#define FLAKY_STORES_SQL_SQLITE_DIALECT_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stores/sql/bad_value.h"
#include "stores/sql/tables.h"
#include "stores/store.h"

// The SQL that all stores of SQLite's dialect have in common. Values are parameters always; names of tables and columns
// are our own, with the checked prefix.
namespace flaky {

// The names of one history's tables.
struct SqliteTables {
  std::string prefix;

  std::string Name(std::string_view table) const { return prefix + std::string(table); }
  // Quoted for SQL.
  std::string operator()(std::string_view table) const { return '"' + Name(table) + '"'; }
};

// A run's time without Z, written as in the index of migration 3, of the runs as `r`. So text order is time order,
// whether a time has three fraction digits or six.
inline constexpr char kStartedAt[] = "rtrim(r.started_at, 'Z')";

// A time as it would stand there.
std::string StartedAtText(Timestamp time);

// What finds the values of another type: `typeof(id) <> 'integer'`.
std::string TypeIsNot(std::string_view column, std::string_view type);

// The columns, each with the table's alias, or NULL where the table lacks it. `present` empty: it has all.
std::string SelectList(std::string_view alias, const std::vector<std::string>& columns, const ColumnSet& present);

// Conditions joined by AND, with the values of their parameters. A value that is absent is NULL; one that is no UTF-8
// may also be given as a blob.
class Conditions {
 public:
  void Add(const std::string& sql, std::vector<std::optional<std::string>> values);
  // Of the runs as `r`. To a window of time, what does not look like a time is kNoTime (stores/sql/bad_value.h).
  void AddRuns(const RunFilter& filter, const std::string& started_at);

  // " WHERE …", or nothing.
  const std::string& sql() const { return sql_; }
  const std::vector<std::optional<std::string>>& values() const { return values_; }

 private:
  std::string sql_;
  std::vector<std::optional<std::string>> values_;
};

// Where the runs' order stands: with our index in the runs themselves.
struct RunOrder {
  std::string from;        // tables, with the runs as `r`
  std::string started_at;  // without Z
  std::string run_id;
};

// Where a page begins: behind this run.
struct PageStart {
  std::optional<std::string> started_at;  // as the order has it; absent: NULL
  std::string run_id;
};
// Gives, for the run of a key (the parameter), a row of one column: the bytes of its time, NULL where it has none.
std::string PlaceOfRun(const SqliteTables& tables);
// `stored`: that column; absent where there is no such row. Where the run has changed since, the key decides.
PageStart PageStartOf(const RunKey& key, const std::optional<StoredValue>& stored);

// The runs that a page is taken from, in their order: `FROM order.from` + conditions.sql() + order_by.
struct PageQuery {
  Conditions conditions;
  std::string order_by;
};
// The runs of the first query, then those of the second, if there is one.
std::vector<PageQuery> QueriesOfPage(const PageRequest& request, const RunOrder& order,
                                     const std::optional<PageStart>& after);

// What VisitFailures reads, in the order of ReadView (stores/sql/tables.h), and all parameters.
struct FailuresQuery {
  std::string columns;  // with ", " between them
  std::string source;   // from FROM on
  Conditions conditions;
};
FailuresQuery QueryOfFailures(const FailureFilter& filter, const SqliteTables& tables);

// One row: how many runs, parts and failures. The conditions' values are wanted `repeats` times in a row.
struct CountQuery {
  std::string sql;
  Conditions conditions;
  int repeats = 0;
};
CountQuery QueryOfCount(const RunFilter& filter, const SqliteTables& tables, bool has_parts);

// Store::Claim. Parameters, by number: 1 the holder, 2 the lease in seconds, 3 whom it may be taken from.
struct ClaimStatements {
  std::string take;     // 1, 2, 3
  std::string give_up;  // 1
  std::string look;     // none; a row of holder and seconds left, or none
};
ClaimStatements StatementsOfClaim(const SqliteTables& tables);

// The values as one parameter: a JSON array.
std::string JsonArray(std::span<const int64_t> numbers);

// INSERT INTO table (columns).
std::string InsertInto(const std::string& table, const std::vector<std::string>& columns);

// The columns of parts and failures, run_id behind them.
std::vector<std::string> AndRunId(std::vector<std::string> columns);

// Behind the insertion of a part: one that is there already gets every column from the row that could not be inserted.
std::string OrReplacePart();

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_SQLITE_DIALECT_H_
