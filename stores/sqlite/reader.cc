// SPDX-License-Identifier: MIT
#include "stores/sqlite/reader.h"

#include <algorithm>
#include <utility>

#include "history/roster.h"
#include "stores/sql/sqlite_dialect.h"
#include "stores/sql/tables.h"
#include "stores/sqlite/columns.h"

namespace flaky::sqlite {
namespace {

bool HasIndex(Connection& connection, const std::string& name) {
  SQLite::Statement row(connection.db(), "SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = ?");
  BindText(row, 1, name);
  return row.executeStep();
}

// Binds the values, which must live until the statement is reset.
void Bind(SQLite::Statement& statement, const std::vector<std::optional<std::string>>& values, int first = 1) {
  for (const auto& value : values) {
    if (value) BindText(statement, first, *value);
    ++first;
  }
}

}  // namespace

Reader::Reader(Connection& connection, bool up_to_date)
    : Reader(connection, up_to_date ? TableColumns() : ReadOurTables(connection)) {
  if (!up_to_date) has_order_index_ = HasIndex(connection, "idx_" + connection.prefix() + "runs_started");
}

Reader::Reader(Connection& connection, TableColumns present)
    : connection_(connection),
      has_parts_(present.empty() || !present[connection.tables().Name("parts")].empty()),
      has_project_(present.empty() || present[connection.tables().Name("failures")].contains("project")),
      run_columns_(SelectList("r", Columns().runs, present[connection.tables().Name("runs")])),
      run_(connection.db(), "SELECT " + run_columns_ + " FROM " + connection.Table("runs") + " r WHERE r.run_id = ?"),
      failures_(connection.db(),
                "SELECT " + SelectList("f", Columns().failures, present[connection.tables().Name("failures")]) +
                    ", f.id FROM " + connection.Table("failures") + " f WHERE f.run_id = ? ORDER BY f.id") {
  if (!has_parts_) return;
  parts_.emplace(connection.db(), "SELECT " + SelectList("p", Columns().parts, {}) + " FROM " +
                                      connection.Table("parts") + " p WHERE p.run_id = ? ORDER BY p.part_id");
  roster_.emplace(connection.db(), "SELECT tests FROM " + connection.Table("rosters") + " WHERE roster_id = ?");
}

size_t Reader::ReadRun(const SQLite::Statement& row, RunRecord& record, Conversions conversions) const {
  RowReader fields({connection_, row}, "runs", conversions);
  VisitRun(record.run, fields);
  return fields.text_bytes();
}

size_t Reader::ReadParts(RunRecord& record, Conversions conversions) {
  size_t bytes = 0;
  if (!has_parts_) return bytes;
  rosters_.Trim();
  ScopedReset rows(*parts_);
  BindText(*rows, 1, record.run.run_id);
  while (rows->executeStep()) {
    Part& part = record.parts.emplace_back();
    RowReader fields({connection_, *rows}, "parts", conversions);
    VisitPart(part, fields);
    bytes += fields.text_bytes();
    if (!part.roster_id) continue;
    if (!GiveRoster(*part.roster_id, record.rosters, bytes)) {
      ReportRosterLeftOut(conversions, *part.roster_id);
      part.roster_id.reset();
    }
  }
  return bytes;
}

bool Reader::GiveRoster(const std::string& roster_id, std::vector<RosterPtr>& rosters, size_t& bytes) {
  if (FindRoster(rosters, roster_id) != nullptr) return true;
  const auto read = [&](const std::string& id) { return ReadRoster(id, bytes); };
  return read(roster_id) && std::ranges::all_of(rosters_.Lists(roster_id), read) && rosters_.Give(roster_id, rosters);
}

bool Reader::ReadRoster(const std::string& roster_id, size_t& bytes) {
  if (rosters_.Find(roster_id) != nullptr) return true;
  ScopedReset row(*roster_);
  BindText(*row, 1, roster_id);
  if (!row->executeStep()) return false;
  Roster roster{roster_id, {}};
  RowReader({connection_, *row}, "rosters")("tests", roster.tests);
  bytes += roster.tests.size();
  return rosters_.Add(std::move(roster)) != nullptr;
}

size_t Reader::ReadFailures(RunRecord& record, std::vector<int64_t>* ids, Conversions conversions) {
  size_t bytes = 0;
  ScopedReset rows(failures_);
  BindText(*rows, 1, record.run.run_id);
  while (rows->executeStep()) {
    RowReader fields({connection_, *rows}, "failures", conversions);
    VisitFailure(record.failures.emplace_back(), fields);
    bytes += fields.text_bytes();
    if (ids != nullptr) fields("id", ids->emplace_back());
  }
  return bytes;
}

std::optional<StoredRecord> Reader::Load(const std::string& run_id) {
  StoredRecord stored;
  {
    ScopedReset row(run_);
    BindText(*row, 1, run_id);
    if (!row->executeStep()) return std::nullopt;
    ReadRun(*row, stored.record, nullptr);
  }
  ReadParts(stored.record, nullptr);
  ReadFailures(stored.record, &stored.failure_ids, nullptr);
  return stored;
}

// Sorting all runs for each page would make a walk over an old database quadratic. So their order is kept in a
// temporary table from the first page on.
RunOrder Reader::PageOrder(bool first_page) {
  const std::string runs = connection_.Table("runs") + " r";
  if (has_order_index_) return {runs, kStartedAt, "r.run_id"};
  if (first_page || !has_page_order_) {
    connection_.db().exec(
        "DROP TABLE IF EXISTS temp.flaky_page_order;"
        "CREATE TEMP TABLE flaky_page_order (started_at, run_id, UNIQUE (started_at, run_id));"
        "INSERT INTO temp.flaky_page_order SELECT " +
        std::string(kStartedAt) + ", r.run_id FROM " + runs);
    has_page_order_ = true;
  }
  return {"temp.flaky_page_order o CROSS JOIN " + runs + " ON r.run_id IS o.run_id", "o.started_at", "o.run_id"};
}

std::optional<PageStart> Reader::StartOf(const std::optional<RunKey>& after) {
  if (!after) return std::nullopt;
  SQLite::Statement row(connection_.db(), PlaceOfRun(connection_.tables()));
  BindText(row, 1, after->run_id);
  return PageStartOf(*after, row.executeStep() ? std::optional(ValueOf(row.getColumn(0))) : std::nullopt);
}

Page Reader::Read(const PageRequest& request) {
  const RunOrder order = PageOrder(!request.after);
  SQLite::Transaction snapshot(connection_.db());
  Page page;
  size_t bytes = 0;
  for (const PageQuery& query : QueriesOfPage(request, order, StartOf(request.after))) {
    SQLite::Statement rows(connection_.db(),
                           "SELECT " + run_columns_ + " FROM " + order.from + query.conditions.sql() + query.order_by);
    Bind(rows, query.conditions.values());
    if (!ReadRows(rows, request, page, bytes)) break;
  }
  return page;
}

bool Reader::ReadRows(SQLite::Statement& rows, const PageRequest& request, Page& page, size_t& bytes) {
  std::vector<Conversion> conversions;
  while (rows.executeStep()) {
    if (!page.records.empty() && (page.records.size() >= request.max_records || bytes >= request.max_bytes)) {
      const Run& last = page.records.back().run;
      page.next = RunKey{last.account.started_at, last.run_id};
      return false;
    }
    RunRecord& record = page.records.emplace_back();
    bytes += ReadRun(rows, record, &conversions);
    if (request.detail == Detail::kFull) {
      bytes += ReadParts(record, &conversions);
      bytes += ReadFailures(record, nullptr, &conversions);
    }
    if (!conversions.empty()) page.converted.push_back({record.run.run_id, std::exchange(conversions, {})});
  }
  return true;
}

std::vector<RunRecord> Reader::Fetch(std::span<const std::string> run_ids) {
  SQLite::Transaction snapshot(connection_.db());
  std::vector<RunRecord> records;
  records.reserve(run_ids.size());
  for (const std::string& run_id : run_ids) {
    if (auto stored = Load(run_id)) records.push_back(std::move(stored->record));
  }
  return records;
}

std::vector<std::string> Reader::FindRuns(std::string_view prefix, size_t limit) {
  const std::string first(prefix);
  SQLite::Statement rows(connection_.db(),
                         "SELECT run_id FROM " + connection_.Table("runs") + " WHERE run_id >= ? ORDER BY run_id");
  BindText(rows, 1, first);
  std::vector<std::string> found;
  while (found.size() < limit && rows.executeStep()) {
    std::string run_id;
    RowReader({connection_, rows}, "runs")("run_id", run_id);
    if (!run_id.starts_with(prefix)) break;
    found.push_back(std::move(run_id));
  }
  return found;
}

void Reader::VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor) {
  const FailuresQuery query = QueryOfFailures(filter, connection_.tables(), has_project_);
  SQLite::Statement rows(connection_.db(), query.rows);
  Bind(rows, query.values);
  while (rows.executeStep()) {
    RowReader fields({connection_, rows}, "failures");
    const FailureView view = ReadView(fields);
    if (!filter.after || view.failed_at > *filter.after) visitor(view);
  }
}

Totals Reader::Count(const RunFilter& filter) {
  const CountQuery query = QueryOfCount(filter, connection_.tables(), has_parts_);
  SQLite::Statement row(connection_.db(), query.sql);
  const int each = static_cast<int>(query.conditions.values().size());
  for (int i = 0; i < query.repeats; ++i) Bind(row, query.conditions.values(), 1 + i * each);
  row.executeStep();
  return {row.getColumn(0).getInt64(), row.getColumn(1).getInt64(), row.getColumn(2).getInt64()};
}

}  // namespace flaky::sqlite
