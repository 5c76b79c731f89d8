// SPDX-License-Identifier: MIT
#include "stores/postgres/failures_query.h"

#include <vector>

#include "stores/sql/bad_value.h"

namespace flaky::postgres {
namespace {

// The server estimates a window's rows from statistics that may be old, and that do not know that both bounds of a page
// depend on each other. If the rows are in another order than that of time, it then reads the whole table and sorts it,
// for each page. So only the ways are left to it that begin at the page in an index. The others stay possible if there
// is no index. It also compiles no query: that takes longer than the query if a new table is not analyzed yet.
std::string Settings(const FailureFilter& filter, bool by_project) {
  std::string sql = "SELECT pg_catalog.set_config('jit', 'off', true)";
  std::vector<std::string> ways = {"seqscan"};
  if (filter.ids.empty()) ways.insert(ways.end(), {"bitmapscan", "sort"});
  // The index on the time alone is for all projects; its pages are sorted by id within each time.
  if (by_project) ways.push_back("incremental_sort");
  for (const std::string& way : ways) sql += ", pg_catalog.set_config('enable_" + way + "', 'off', true)";
  return sql;
}

class Query {
 public:
  Query(const Connection& connection, const FailureFilter& filter, size_t limit)
      : filter_(filter),
        failures_(connection.Table("failures")),
        runs_(connection.Table("runs")),
        limit_(" LIMIT " + std::to_string(limit)) {}

  void AddWindow(const std::optional<FailureKey>& place) {
    // The place is inside the window, and one bound is enough.
    const bool is_behind_it = place && filter_.after && place->failed_at >= *filter_.after;
    if (filter_.after && (!is_behind_it || place->failed_at == kNoTime)) {
      const std::string later = "f.failed_at > " + restriction_.BindTime(*filter_.after);
      const bool holds_no_time = *filter_.after < kNoTime;
      restriction_.Add(holds_no_time ? "(" + later + " OR " + restriction_.HasNoTime("f.failed_at") + ")" : later);
    }
    if (filter_.test_name) {
      restriction_.Add("f.test_name = " + restriction_.Bind(*filter_.test_name, ColumnType::kText));
    }
    if (place) restriction_.Add("(f.failed_at, f.id) > (" + TimeOf(*place) + ")");
  }

  // All that match, by looking for the project in the runs.
  std::string OfAll() { return Rows({}, ProjectOfRun()); }

  // Those of a project by the index, without looking for it in the runs.
  std::string OfProject(const std::string& project) { return Rows({restriction_.Is("f.project", project)}, ""); }

  // Those of a project among the rows that do not name one, by the same index: it orders a NULL as it does a value.
  std::string OfRuns(const std::string& until) {
    std::vector<std::string> conditions = {"f.project IS NULL"};
    if (!until.empty()) conditions.push_back("f.failed_at <= " + until);
    return Rows(conditions, ProjectOfRun(), "f.project, ");
  }

  // Those of `ids`, by the key. With ids that another tool gave twice, there may be more.
  std::string OfIds() {
    BinaryArray runs(ColumnType::kText), ids(ColumnType::kNumber);
    for (const FailureId& row : filter_.ids) {
      runs.AddText(row.run_id);
      ids.AddNumber(row.id);
    }
    return Rows({"f.run_id = ANY (" + restriction_.Bind(runs.Take(), ColumnType::kText) + "[])",
                 "f.id = ANY (" + restriction_.Bind(ids.Take(), ColumnType::kNumber) + "[])"},
                ProjectOfRun());
  }

  const BinaryValues& values() const { return restriction_.values(); }

 private:
  std::string ProjectOfRun() { return filter_.project ? " AND " + restriction_.Is("r.project", *filter_.project) : ""; }

  // Returns the place, or the stored one if its time can't be read. Such rows are few, and at the ends of the index.
  std::string TimeOf(const FailureKey& place) {
    const std::string time = restriction_.BindTime(place.failed_at);
    const std::string id = restriction_.Bind(BinaryNumber(place.id), ColumnType::kNumber);
    if (place.failed_at != kNoTime) return time + ", " + id;
    const std::string of_place = "SELECT coalesce(k.failed_at, " + std::string(kInfinity) + ") AS failed_at FROM " +
                                 failures_ + " k WHERE k.id = " + id + " AND k.failed_at";
    return "coalesce((SELECT k.failed_at FROM (" + of_place + " < " + restriction_.BindTime(Timestamp::kMin) +
           " UNION ALL " + of_place + " > " + restriction_.BindTime(Timestamp::kMax) + " UNION ALL " + of_place +
           " IS NULL) k LIMIT 1), " + time + "), " + id;
  }

  // The run of each failure is looked up separately, so that the server reads failures only as far as needed.
  std::string Rows(const std::vector<std::string>& conditions, const std::string& of_run,
                   const std::string& order = "") const {
    const std::string texts =
        filter_.texts ? "f.error_message, f.error_stack, coalesce(pg_catalog.octet_length(f.error_message), 0) + "
                        "coalesce(pg_catalog.octet_length(f.error_stack), 0) AS octets"
                      : "CASE WHEN f.error_message IS NOT NULL THEN '' END AS error_message, "
                        "CASE WHEN f.error_stack IS NOT NULL THEN '' END AS error_stack, 0 AS octets";
    return "SELECT f.run_id, f.id, f.test_file, f.test_name, f.failure_kind, " + texts +
           ", f.failed_at, r.ended_at, r.failed_tests FROM " + failures_ + " f" +
           " CROSS JOIN LATERAL (SELECT r.ended_at, r.failed_tests FROM " + runs_ + " r WHERE r.run_id = f.run_id" +
           of_run + " OFFSET 0) r" + restriction_.sql(conditions) + " ORDER BY " + order + "f.failed_at, f.id" + limit_;
  }

  const FailureFilter& filter_;
  const std::string failures_, runs_;
  const std::string limit_;
  Restriction restriction_;
};

}  // namespace

FailuresQuery QueryOfFailures(const Connection& connection, const FailureFilter& filter,
                              const std::optional<FailureKey>& place, size_t limit, size_t max_octets,
                              bool has_project) {
  Query query(connection, filter, limit);
  query.AddWindow(place);
  const bool by_project = has_project && filter.project && filter.ids.empty();
  std::string page;
  if (!filter.ids.empty()) {
    page = query.OfIds();
  } else if (!by_project) {
    page = query.OfAll();
  } else if (!*filter.project) {
    page = query.OfRuns("");
  } else {
    // Rows without a project are only read until the end of a full page of the others.
    const std::string limit_text = std::to_string(limit);
    const std::string until =
        "coalesce((SELECT pg_catalog.max(failed_at) FROM own HAVING pg_catalog.count(*) = " + limit_text + "), " +
        kInfinity + ")";
    page = "WITH own AS MATERIALIZED (" + query.OfProject(**filter.project) + "), others AS MATERIALIZED (" +
           query.OfRuns(until) +
           ") SELECT * FROM (SELECT * FROM own UNION ALL SELECT * FROM others) u ORDER BY failed_at, id LIMIT " +
           limit_text;
  }
  return {Settings(filter, by_project),
          "SELECT run_id, id, test_file, test_name, failure_kind, error_message, error_stack, "
          "pg_catalog.encode(pg_catalog.timestamptz_send(failed_at), 'hex'), "
          "pg_catalog.encode(pg_catalog.timestamptz_send(ended_at), 'hex'), failed_tests, total "
          "FROM (SELECT *, pg_catalog.sum(octets) OVER (ORDER BY failed_at, id) AS total FROM (" +
              page + ") p) b WHERE total - octets < " + std::to_string(max_octets) + " ORDER BY failed_at, id",
          query.values()};
}

}  // namespace flaky::postgres
