// SPDX-License-Identifier: MIT
#include "stores/postgres/reader.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "history/text.h"
#include "stores/postgres/binary.h"
#include "stores/postgres/columns.h"
#include "stores/postgres/failures_query.h"
#include "stores/postgres/restriction.h"
#include "stores/sql/bad_value.h"
#include "stores/sql/tables.h"

namespace flaky::postgres {
namespace {

constexpr size_t kMaxPage = 4096;            // runs without parts and failures
constexpr size_t kFetchBytes = 4 << 20;      // of text in one answer of the server
constexpr size_t kFailuresWithTexts = 2000;  // the most in one answer
constexpr size_t kFailuresWithout = 20'000;

// Compares bytes, whatever the database's collation is.
constexpr char kRunId[] = "r.run_id COLLATE \"C\"";

// Returns the time after which a page of runs begins: that of the key, or the stored one if that can't be read.
std::string PlaceOf(const RunKey& key, const std::string& run_id, const std::string& runs, Restriction& restriction) {
  std::string read = restriction.BindTime(key.started_at);
  if (key.started_at != kNoTime) return read;
  return "coalesce((SELECT coalesce(k.started_at, " + std::string(kMinusInfinity) + ") FROM " + runs +
         " k WHERE k.run_id = " + run_id + " AND " + restriction.HasNoTime("k.started_at") + "), " + read + ")";
}

// Turns the server's JIT compiler off. The queries for parts and failures look expensive before a new table is
// analyzed, so the server would compile them, which takes longer than the query.
void WithoutCompiling(pqxx::transaction_base& transaction) { transaction.exec("SET LOCAL jit = off"); }

std::string Number(size_t number) {
  return std::to_string(std::min(number, static_cast<size_t>(std::numeric_limits<int64_t>::max())));
}

}  // namespace

Reader::Reader(Connection& connection, TableColumns present)
    : connection_(connection),
      loader_(connection, present),
      // The tables of another tool may lack the constraint, and then have no index that this would keep from being
      // used.
      started_at_(present.empty() ? "r.started_at" : "coalesce(r.started_at, " + std::string(kMinusInfinity) + ")"),
      has_parts_(present.empty() || !present[connection.Name("parts")].empty()),
      has_project_(present.empty() || present[connection.Name("failures")].contains("project")),
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
                    PlaceOf(*request.after, run_id, connection_.Table("runs"), restriction) + ", " + run_id + ")");
  }
  const std::string way = newest_first ? " DESC" : "";
  // So that the server takes runs without a project in the order of the index, too: to it, NULL is not a constant.
  const std::string project = request.filter.project && !*request.filter.project ? "r.project" + way + ", " : "";
  const std::string sql = "SELECT " + run_columns_ + " FROM " + connection_.Table("runs") + " r" + restriction.sql() +
                          " ORDER BY " + project + started_at_ + way + ", " + kRunId + way + " LIMIT " +
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
  const std::set<FailureId> wanted(filter.ids.begin(), filter.ids.end());
  std::optional<FailureKey> behind = filter.behind;
  for (bool more = true; more;) {
    const FailuresQuery query = QueryOfFailures(connection_, filter, behind, limit, kFetchBytes, has_project_);
    const pqxx::result rows = connection_.Guard("read failures", [&](pqxx::connection& session) {
      pqxx::work transaction(session);
      connection_.Settle(transaction);
      transaction.exec(query.settings);
      pqxx::result page = Execute(transaction, query.sql, query.values);
      transaction.commit();
      return page;
    });
    int64_t total = 0;
    for (const pqxx::row& row : rows) {
      RowReader fields({connection_, row}, "failures");
      const FailureView view = ReadView(fields);
      fields("total", total);
      behind = FailureKey{view.failed_at, view.id};
      if (!wanted.empty() && !wanted.contains({std::string(view.run_id), view.id})) continue;
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
