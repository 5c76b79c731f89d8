#include "stores/sqlite/reader.h"

#include <algorithm>
#include <utility>

#include "stores/sql/sqlite_dialect.h"
#include "stores/sql/tables.h"
#include "stores/sqlite/columns.h"

namespace flaky {
namespace {

ColumnSet Present(SqliteConnection& connection, bool up_to_date, std::string_view table) {
  if (up_to_date) return {};
  return ColumnsOf(connection, connection.prefix() + std::string(table));
}

bool HasIndex(SqliteConnection& connection, const std::string& name) {
  SQLite::Statement row(connection.db(), "SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = ?");
  BindText(row, 1, name);
  return row.executeStep();
}

// The values must live until the statement is reset.
void Bind(SQLite::Statement& statement, const Conditions& conditions, int first = 1) {
  for (const auto& value : conditions.values()) {
    if (value) BindText(statement, first, *value);
    ++first;
  }
}

}  // namespace

SqliteReader::SqliteReader(SqliteConnection& connection, bool up_to_date)
    : connection_(connection),
      run_columns_(SelectList("r", Columns().runs, Present(connection, up_to_date, "runs"))),
      run_(connection.db(), "SELECT " + run_columns_ + " FROM " + connection.Table("runs") + " r WHERE r.run_id = ?"),
      failures_(connection.db(),
                "SELECT " + SelectList("f", Columns().failures, Present(connection, up_to_date, "failures")) +
                    ", f.id FROM " + connection.Table("failures") + " f WHERE f.run_id = ? ORDER BY f.id") {
  if (!up_to_date) {
    has_parts_ = !ColumnsOf(connection, connection.prefix() + "parts").empty();
    has_order_index_ = HasIndex(connection, "idx_" + connection.prefix() + "runs_started");
  }
  if (has_parts_) {
    parts_.emplace(connection.db(), "SELECT " + SelectList("p", Columns().parts, {}) + " FROM " +
                                        connection.Table("parts") + " p WHERE p.run_id = ? ORDER BY p.part_id");
    roster_.emplace(connection.db(), "SELECT tests FROM " + connection.Table("rosters") + " WHERE roster_id = ?");
  }
}

size_t SqliteReader::ReadRun(const SQLite::Statement& row, RunRecord& record, Told told) const {
  FieldReader fields(connection_, row, "runs", told);
  VisitRun(record.run, fields);
  return fields.text_bytes();
}

size_t SqliteReader::ReadParts(RunRecord& record, Told told) {
  size_t bytes = 0;
  if (!has_parts_) return bytes;
  ScopedReset rows(*parts_);
  BindText(*rows, 1, record.run.run_id);
  while (rows->executeStep()) {
    Part& part = record.parts.emplace_back();
    FieldReader fields(connection_, *rows, "parts", told);
    VisitPart(part, fields);
    bytes += fields.text_bytes();
    if (!part.roster_id) continue;
    const auto same = [&](const RosterPtr& roster) { return roster->roster_id == *part.roster_id; };
    if (std::any_of(record.rosters.begin(), record.rosters.end(), same)) continue;
    if (RosterPtr roster = ReadRoster(*part.roster_id, bytes)) {
      record.rosters.push_back(std::move(roster));
    } else {
      TellRosterLeftOut(told, *part.roster_id);
      part.roster_id.reset();
    }
  }
  return bytes;
}

RosterPtr SqliteReader::ReadRoster(const std::string& roster_id, size_t& bytes) {
  if (RosterPtr known = rosters_.Find(roster_id)) return known;
  ScopedReset row(*roster_);
  BindText(*row, 1, roster_id);
  if (!row->executeStep()) return nullptr;
  Roster roster{roster_id, {}};
  FieldReader(connection_, *row, "rosters", nullptr)("tests", roster.tests);
  rosters_.Trim();
  RosterPtr added = rosters_.Add(std::move(roster));
  if (added != nullptr) bytes += added->tests.size();
  return added;
}

size_t SqliteReader::ReadFailures(RunRecord& record, std::vector<int64_t>* ids, Told told) {
  size_t bytes = 0;
  ScopedReset rows(failures_);
  BindText(*rows, 1, record.run.run_id);
  while (rows->executeStep()) {
    FieldReader fields(connection_, *rows, "failures", told);
    VisitFailure(record.failures.emplace_back(), fields);
    bytes += fields.text_bytes();
    if (ids != nullptr) fields("id", ids->emplace_back());
  }
  return bytes;
}

std::optional<StoredRecord> SqliteReader::Load(const std::string& run_id) {
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

// Sorting all runs for each page would make a walk over an old database quadratic, so their order is kept in a
// temporary table from its first page on.
RunOrder SqliteReader::PageOrder(bool first_page) {
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

std::optional<PageStart> SqliteReader::StartOf(const std::optional<RunKey>& after) {
  if (!after) return std::nullopt;
  SQLite::Statement row(connection_.db(), PlaceOfRun(connection_.tables()));
  BindText(row, 1, after->run_id);
  return PageStartOf(*after, row.executeStep() ? std::optional(ValueOf(row.getColumn(0))) : std::nullopt);
}

Page SqliteReader::Read(const PageRequest& request) {
  const RunOrder order = PageOrder(!request.after);
  SQLite::Transaction snapshot(connection_.db());
  Page page;
  size_t bytes = 0;
  for (const PageQuery& query : QueriesOfPage(request, order, StartOf(request.after))) {
    SQLite::Statement rows(connection_.db(),
                           "SELECT " + run_columns_ + " FROM " + order.from + query.conditions.sql() + query.order_by);
    Bind(rows, query.conditions);
    if (!ReadRows(rows, request, page, bytes)) break;
  }
  return page;
}

bool SqliteReader::ReadRows(SQLite::Statement& rows, const PageRequest& request, Page& page, size_t& bytes) {
  std::vector<Conversion> told;
  while (rows.executeStep()) {
    if (!page.records.empty() && (page.records.size() >= request.max_records || bytes >= request.max_bytes)) {
      const Run& last = page.records.back().run;
      page.next = RunKey{last.account.started_at, last.run_id};
      return false;
    }
    RunRecord& record = page.records.emplace_back();
    bytes += ReadRun(rows, record, &told);
    if (request.detail == Detail::kFull) {
      bytes += ReadParts(record, &told);
      bytes += ReadFailures(record, nullptr, &told);
    }
    if (!told.empty()) page.misread.push_back({record.run.run_id, std::exchange(told, {})});
  }
  return true;
}

std::vector<RunRecord> SqliteReader::Fetch(std::span<const std::string> run_ids) {
  SQLite::Transaction snapshot(connection_.db());
  std::vector<RunRecord> records;
  records.reserve(run_ids.size());
  for (const std::string& run_id : run_ids) {
    if (auto stored = Load(run_id)) records.push_back(std::move(stored->record));
  }
  return records;
}

std::vector<std::string> SqliteReader::FindRuns(std::string_view prefix, size_t limit) {
  const std::string first(prefix);
  SQLite::Statement rows(connection_.db(),
                         "SELECT run_id FROM " + connection_.Table("runs") + " WHERE run_id >= ? ORDER BY run_id");
  BindText(rows, 1, first);
  std::vector<std::string> found;
  while (found.size() < limit && rows.executeStep()) {
    std::string run_id;
    FieldReader(connection_, rows, "runs", nullptr)("run_id", run_id);
    if (!run_id.starts_with(prefix)) break;
    found.push_back(std::move(run_id));
  }
  return found;
}

void SqliteReader::VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor) {
  const FailuresQuery query = QueryOfFailures(filter, connection_.tables());
  SQLite::Statement rows(connection_.db(), "SELECT " + query.columns + query.source);
  Bind(rows, query.conditions);
  while (rows.executeStep()) {
    FieldReader fields(connection_, rows, "failures", nullptr);
    const FailureView view = ReadView(fields);
    if (!filter.after || view.failed_at > *filter.after) visitor(view);
  }
}

Totals SqliteReader::Count(const RunFilter& filter) {
  const CountQuery query = QueryOfCount(filter, connection_.tables(), has_parts_);
  SQLite::Statement row(connection_.db(), query.sql);
  const int each = static_cast<int>(query.conditions.values().size());
  for (int i = 0; i < query.repeats; ++i) Bind(row, query.conditions, 1 + i * each);
  row.executeStep();
  return {row.getColumn(0).getInt64(), row.getColumn(1).getInt64(), row.getColumn(2).getInt64()};
}

}  // namespace flaky
