// SPDX-License-Identifier: MIT
#include "stores/postgres/reader.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "history/text.h"
#include "stores/postgres/binary.h"
#include "stores/postgres/columns.h"
#include "stores/sql/tables.h"

namespace flaky::postgres {
namespace {

constexpr size_t kMaxPage = 4096;            // runs without parts and failures
constexpr size_t kFetchBytes = 4 << 20;      // of text in one answer of the server
constexpr size_t kFailuresWithTexts = 2000;  // the most in one answer
constexpr size_t kFailuresWithout = 20'000;

// Compares bytes, whatever the database's collation is.
constexpr char kRunId[] = "r.run_id COLLATE \"C\"";

constexpr char kInfinity[] = "'infinity'::timestamptz";
constexpr char kMinusInfinity[] = "'-infinity'::timestamptz";

// Conditions joined by AND, and the statement's parameters.
class Restriction {
 public:
  std::string Bind(std::string value, ColumnType type) {
    values_.push_back(std::move(value));
    return "$" + std::to_string(values_.size()) + "::" + std::string(SqlName(type));
  }
  void Add(const std::string& condition) { sql_ += (sql_.empty() ? " WHERE " : " AND ") + condition; }
  void AddProject(const std::optional<std::optional<std::string>>& project) {
    if (!project) return;
    Add(*project ? "r.project = " + Bind(**project, ColumnType::kText) : "r.project IS NULL");
  }
  void AddRuns(const RunFilter& filter) {
    AddProject(filter.project);
    if (!filter.since && !filter.until) return;
    const Timestamp first = std::max(filter.since.value_or(Timestamp::kMin), Timestamp::kMin);
    const Timestamp end =
        filter.until ? std::clamp(*filter.until, Timestamp::kMin, Timestamp::kMax + 1) : Timestamp::kMax + 1;
    const std::string window = "r.started_at BETWEEN " + BindTime(first) + " AND " + BindTime(end - 1);
    const bool holds_no_time = first <= kNoTime && kNoTime < end;
    Add(holds_no_time ? "(" + window + " OR " + HasNoTime("r.started_at") + ")" : window);
  }
  std::string BindTime(Timestamp time) { return Bind(BinaryTime(time), ColumnType::kTime); }
  // Returns the condition that a time can't be read.
  std::string HasNoTime(const std::string& time) {
    return "(" + time + " BETWEEN " + BindTime(Timestamp::kMin) + " AND " + BindTime(Timestamp::kMax) + ") IS NOT TRUE";
  }
  // Returns the time after which a page begins: `time`, or the stored value if that can't be read. `table`: its name
  // for SQL.
  std::string BindPlace(Timestamp time, const std::string& table, const std::string& column, const std::string& of_key,
                        const std::string& null_is) {
    std::string read = BindTime(time);
    if (time != kNoTime) return read;
    return "coalesce((SELECT coalesce(k." + column + ", " + null_is + ") FROM " + table + " k WHERE " + of_key +
           " AND " + HasNoTime("k." + column) + "), " + read + ")";
  }

  const std::string& sql() const { return sql_; }
  const BinaryValues& values() const { return values_; }

 private:
  std::string sql_;
  BinaryValues values_;
};

// Turns the server's JIT compiler off. The queries for parts and failures look expensive before a new table is
// analyzed, so the server would compile them, which takes longer than the query.
void WithoutCompiling(pqxx::transaction_base& transaction) { transaction.exec("SET LOCAL jit = off"); }

std::string Number(size_t number) {
  return std::to_string(std::min(number, static_cast<size_t>(std::numeric_limits<int64_t>::max())));
}

// Returns the query for a page of failures in order of (failed_at, id), after `place`. The run of each failure is
// looked up separately, so that the server reads the page from the index on failed_at, and only as far as needed.
std::string FailuresSql(const Connection& connection, const FailureFilter& filter,
                        const std::optional<FailureKey>& place, size_t limit, Restriction& restriction) {
  std::string project;
  if (filter.project) {
    project = *filter.project ? " AND r.project = " + restriction.Bind(**filter.project, ColumnType::kText)
                              : " AND r.project IS NULL";
  }
  if (filter.after) {
    const std::string later = "f.failed_at > " + restriction.BindTime(*filter.after);
    const bool holds_no_time = *filter.after < kNoTime;
    restriction.Add(holds_no_time ? "(" + later + " OR " + restriction.HasNoTime("f.failed_at") + ")" : later);
  }
  if (filter.test_name) restriction.Add("f.test_name = " + restriction.Bind(*filter.test_name, ColumnType::kText));
  if (!filter.ids.empty()) {
    BinaryArray ids(ColumnType::kNumber);
    for (const int64_t id : filter.ids) ids.AddNumber(id);
    restriction.Add("f.id = ANY (" + restriction.Bind(ids.Take(), ColumnType::kNumber) + "[])");
  }
  if (place) {
    const std::string id = restriction.Bind(BinaryNumber(place->id), ColumnType::kNumber);
    restriction.Add(
        "(f.failed_at, f.id) > (" +
        restriction.BindPlace(place->failed_at, connection.Table("failures"), "failed_at", "k.id = " + id, kInfinity) +
        ", " + id + ")");
  }
  const std::string texts =
      filter.texts ? "f.error_message, f.error_stack, coalesce(pg_catalog.octet_length(f.error_message), 0) + "
                     "coalesce(pg_catalog.octet_length(f.error_stack), 0) AS octets"
                   : "CASE WHEN f.error_message IS NOT NULL THEN '' END AS error_message, "
                     "CASE WHEN f.error_stack IS NOT NULL THEN '' END AS error_stack, 0 AS octets";
  const std::string page = "SELECT f.run_id, f.id, f.test_file, f.test_name, f.failure_kind, " + texts +
                           ", f.failed_at, r.ended_at, r.failed_tests FROM " + connection.Table("failures") +
                           " f CROSS JOIN LATERAL (SELECT r.ended_at, r.failed_tests FROM " + connection.Table("runs") +
                           " r WHERE r.run_id = f.run_id" + project + " OFFSET 0) r" + restriction.sql() +
                           " ORDER BY f.failed_at, f.id LIMIT " + std::to_string(limit);
  return "SELECT run_id, id, test_file, test_name, failure_kind, error_message, error_stack, "
         "pg_catalog.encode(pg_catalog.timestamptz_send(failed_at), 'hex'), "
         "pg_catalog.encode(pg_catalog.timestamptz_send(ended_at), 'hex'), failed_tests, total "
         "FROM (SELECT *, pg_catalog.sum(octets) OVER (ORDER BY failed_at, id) AS total FROM (" +
         page + ") p) b WHERE total - octets < " + std::to_string(kFetchBytes) + " ORDER BY failed_at, id";
}

}  // namespace

Reader::Reader(Connection& connection, TableColumns present)
    : connection_(connection),
      loader_(connection, present),
      // The tables of another tool may lack the constraint, and then have no index that this would keep from being
      // used.
      started_at_(present.empty() ? "r.started_at" : "coalesce(r.started_at, " + std::string(kMinusInfinity) + ")"),
      has_parts_(present.empty() || !present[connection.Name("parts")].empty()),
      run_columns_(SelectColumns("r", TypedColumns().runs, present[connection.Name("runs")])) {}

size_t Reader::ReadRun(const pqxx::row& row, RunRecord& record, std::vector<Conversion>* conversions) const {
  RowReader fields({connection_, row}, "runs", conversions);
  VisitRun(record.run, fields);
  return fields.text_bytes();
}

Page Reader::Read(const PageRequest& request) {
  const bool newest_first = request.direction == Direction::kNewestFirst;
  const size_t most = request.detail == Detail::kFull ? loader_.likely() : kMaxPage;
  const size_t limit = std::clamp<size_t>(request.max_records, 1, most);
  Restriction restriction;
  restriction.AddRuns(request.filter);
  if (request.after) {
    const std::string run_id = restriction.Bind(request.after->run_id, ColumnType::kText);
    restriction.Add("(" + started_at_ + ", " + kRunId + (newest_first ? ") < (" : ") > (") +
                    restriction.BindPlace(request.after->started_at, connection_.Table("runs"), "started_at",
                                          "k.run_id = " + run_id, kMinusInfinity) +
                    ", " + run_id + ")");
  }
  const std::string way = newest_first ? " DESC" : "";
  const std::string sql = "SELECT " + run_columns_ + " FROM " + connection_.Table("runs") + " r" + restriction.sql() +
                          " ORDER BY " + started_at_ + way + ", " + kRunId + way + " LIMIT " +
                          std::to_string(limit + 1);

  return connection_.Guard("read runs", [&](pqxx::connection& session) {
    SnapshotTransaction transaction(session);
    connection_.Settle(transaction);
    if (request.detail == Detail::kFull) WithoutCompiling(transaction);
    const pqxx::result rows = Execute(transaction, sql, restriction.values());
    Page page;
    size_t bytes = 0;
    std::vector<std::vector<Conversion>> converted(static_cast<size_t>(rows.size()));
    for (const pqxx::row& row : rows) {
      if (page.records.size() == limit || (!page.records.empty() && bytes >= request.max_bytes)) break;
      std::vector<Conversion>* const conversions = &converted[page.records.size()];
      bytes += ReadRun(row, page.records.emplace_back(), conversions);
    }
    if (request.detail == Detail::kFull) {
      const size_t left = request.max_bytes - std::min(bytes, request.max_bytes);
      page.records.resize(loader_.Load(transaction, page.records, left, nullptr, converted));
    }
    for (size_t i = 0; i < page.records.size(); ++i) {
      if (!converted[i].empty()) page.converted.push_back({page.records[i].run.run_id, std::move(converted[i])});
    }
    if (page.records.size() < static_cast<size_t>(rows.size())) {
      const Run& last = page.records.back().run;
      page.next = RunKey{last.account.started_at, last.run_id};
    }
    transaction.commit();
    return page;
  });
}

std::vector<RunRecord> Reader::Fetch(std::span<const std::string> run_ids) {
  BinaryArray ids(ColumnType::kText);
  for (const std::string& run_id : run_ids) {
    if (IsStorable(run_id)) ids.AddText(run_id);
  }
  BinaryValues values = {ids.Take()};
  // Looks up each id separately, by the index. Otherwise the server would read all of a new table that isn't analyzed
  // yet.
  const std::string sql = "SELECT r.* FROM pg_catalog.unnest($1::text[]) AS k (run_id) CROSS JOIN LATERAL (SELECT " +
                          run_columns_ + " FROM " + connection_.Table("runs") +
                          " r WHERE r.run_id = k.run_id OFFSET 0) r";
  return connection_.Guard("read runs", [&](pqxx::connection& session) {
    SnapshotTransaction transaction(session);
    connection_.Settle(transaction);
    WithoutCompiling(transaction);
    std::vector<RunRecord> records;
    const pqxx::result rows = Execute(transaction, sql, values);
    records.reserve(static_cast<size_t>(rows.size()));
    for (const pqxx::row& row : rows) ReadRun(row, records.emplace_back(), nullptr);
    for (size_t done = 0; done < records.size();) {
      done += loader_.Load(transaction, std::span(records).subspan(done), kFetchBytes);
    }
    transaction.commit();
    return records;
  });
}

std::vector<std::string> Reader::FindRuns(std::string_view prefix, size_t limit) {
  if (!IsStorable(prefix)) return {};
  const std::string sql = "SELECT r.run_id FROM " + connection_.Table("runs") + " r WHERE " + kRunId +
                          " >= $1::text ORDER BY " + kRunId + " LIMIT " + Number(limit);
  return connection_.Guard("find runs", [&](pqxx::connection& session) {
    const pqxx::result rows = connection_.Once(
        session, [&](pqxx::transaction_base& transaction) { return Execute(transaction, sql, {std::string(prefix)}); });
    std::vector<std::string> found;
    for (const pqxx::row& row : rows) {
      std::string run_id;
      RowReader({connection_, row}, "runs")("run_id", run_id);
      if (!run_id.starts_with(prefix)) break;
      found.push_back(std::move(run_id));
    }
    return found;
  });
}

void Reader::VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor) {
  const size_t limit = filter.texts ? kFailuresWithTexts : kFailuresWithout;
  std::optional<FailureKey> behind = filter.behind;
  for (bool more = true; more;) {
    Restriction restriction;
    const std::string sql = FailuresSql(connection_, filter, behind, limit, restriction);
    const pqxx::result rows = connection_.Guard("read failures", [&](pqxx::connection& session) {
      return connection_.Once(session, [&](pqxx::transaction_base& transaction) {
        return Execute(transaction, sql, restriction.values());
      });
    });
    int64_t total = 0;
    for (const pqxx::row& row : rows) {
      RowReader fields({connection_, row}, "failures");
      const FailureView view = ReadView(fields);
      fields("total", total);
      behind = FailureKey{view.failed_at, view.id};
      if (!filter.after || view.failed_at > *filter.after) visitor(view);
    }
    more = static_cast<size_t>(rows.size()) == limit || total >= static_cast<int64_t>(kFetchBytes);
  }
}

Totals Reader::Count(const RunFilter& filter) {
  Restriction restriction;
  restriction.AddRuns(filter);
  const std::string runs = connection_.Table("runs") + " r";
  const auto count = [&](std::string_view table) {
    if (restriction.sql().empty()) return "(SELECT pg_catalog.count(*) FROM " + connection_.Table(table) + ")";
    return "(SELECT pg_catalog.count(*) FROM " + runs + " JOIN " + connection_.Table(table) +
           " x ON x.run_id = r.run_id" + restriction.sql() + ")";
  };
  const std::string sql = "SELECT (SELECT pg_catalog.count(*) FROM " + runs + restriction.sql() + "), " +
                          (has_parts_ ? count("parts") : "0") + ", " + count("failures");
  return connection_.Guard("count runs", [&](pqxx::connection& session) {
    const pqxx::result rows = connection_.Once(
        session, [&](pqxx::transaction_base& transaction) { return Execute(transaction, sql, restriction.values()); });
    Totals totals;
    const pqxx::row row = rows[0];
    RowReader fields({connection_, row}, "runs");
    fields("runs", totals.runs);
    fields("parts", totals.parts);
    fields("failures", totals.failures);
    return totals;
  });
}

}  // namespace flaky::postgres
