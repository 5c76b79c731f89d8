#include "stores/sqlite/reader.h"

#include <algorithm>
#include <deque>
#include <initializer_list>
#include <utility>

#include "stores/sqlite/columns.h"

namespace flaky {
namespace {

constexpr size_t kMaxRosterCacheBytes = 4 << 20;

// A run's time without Z, written as in the index of migration 3. So text order is time order, whether a time has three
// fraction digits or six.
constexpr char kStartedAt[] = "rtrim(r.started_at, 'Z')";

const Timestamp kFirst{-62'167'219'200 * kMicrosPerSecond};     // year 0
const Timestamp kLast{253'402'300'800 * kMicrosPerSecond - 1};  // the end of year 9999

// The columns, each with the table's alias, or NULL where the table lacks it. `present` empty: it has all.
std::string SelectList(std::string_view alias, const std::vector<std::string>& columns,
                       const std::set<std::string, std::less<>>& present) {
  std::string list;
  for (const std::string& column : columns) {
    if (!list.empty()) list += ", ";
    const bool missing = !present.empty() && !present.contains(column);
    list += missing ? "NULL" : std::string(alias) + "." + column;
  }
  return list;
}

std::set<std::string, std::less<>> Present(SqliteConnection& connection, bool up_to_date, std::string_view table) {
  if (up_to_date) return {};
  return ColumnsOf(connection, connection.prefix() + std::string(table));
}

bool HasIndex(SqliteConnection& connection, const std::string& name) {
  SQLite::Statement row(connection.db(), "SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = ?");
  BindText(row, 1, name);
  return row.executeStep();
}

// A moment as a bound for texts without Z: not above any text of the same moment, however many digits that has.
std::string Bound(Timestamp time) {
  std::string text = std::clamp(time, kFirst, kLast).ToString();
  return text.substr(0, text.find_last_not_of("0.Z") + 1);
}

// Conditions joined by AND, with the values of their parameters.
class Conditions {
 public:
  void Add(const std::string& sql, std::initializer_list<std::optional<std::string>> values) {
    sql_ += (sql_.empty() ? " WHERE " : " AND ") + sql;
    values_.insert(values_.end(), values);
  }
  void AddRuns(const RunFilter& filter, const std::string& started_at) {
    if (filter.project) Add("r.project IS ?", {*filter.project});
    if (filter.since) Add(started_at + " >= ?", {Bound(*filter.since)});
    if (filter.until) Add(started_at + " < ?", {Bound(*filter.until)});
  }

  const std::string& sql() const { return sql_; }

  // The values live as long as this object.
  void BindTo(SQLite::Statement& statement, int first = 1) const {
    for (const auto& value : values_) {
      if (value) BindText(statement, first, *value);
      ++first;
    }
  }
  int count() const { return static_cast<int>(values_.size()); }

 private:
  std::string sql_;
  std::deque<std::optional<std::string>> values_;
};

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

size_t SqliteReader::ReadRun(const SQLite::Statement& row, RunRecord& record) const {
  const SQLite::Column id = row.getColumn(0);
  FieldReader fields(connection_, row, id.isNull() ? "NULL" : id.getText(), 0);
  VisitRun(record.run, fields);
  return fields.text_bytes();
}

size_t SqliteReader::ReadParts(RunRecord& record) {
  size_t bytes = 0;
  if (!has_parts_) return bytes;
  StatementUse rows(*parts_);
  BindText(*rows, 1, record.run.run_id);
  while (rows->executeStep()) {
    Part& part = record.parts.emplace_back();
    FieldReader fields(connection_, *rows, record.run.run_id, 0);
    VisitPart(part, fields);
    bytes += fields.text_bytes();
    if (!part.roster_id) continue;
    const auto same = [&](const RosterPtr& roster) { return roster->roster_id == *part.roster_id; };
    if (std::any_of(record.rosters.begin(), record.rosters.end(), same)) continue;
    record.rosters.push_back(ReadRoster(record.run.run_id, *part.roster_id, bytes));
  }
  return bytes;
}

RosterPtr SqliteReader::ReadRoster(const std::string& run_id, const std::string& roster_id, size_t& bytes) {
  if (const auto known = rosters_.find(roster_id); known != rosters_.end()) return known->second;
  StatementUse row(*roster_);
  BindText(*row, 1, roster_id);
  if (!row->executeStep()) {
    connection_.Fail(ErrorKind::kInvalid, "read run '" + run_id + "'", "its roster '" + roster_id + "' is not there");
  }
  Roster roster{roster_id, {}};
  FieldReader(connection_, *row, run_id, 0)("tests", roster.tests);
  bytes += roster.tests.size();

  if (rosters_bytes_ > kMaxRosterCacheBytes) {
    rosters_.clear();
    rosters_bytes_ = 0;
  }
  rosters_bytes_ += roster.tests.size();
  return rosters_[roster_id] = std::make_shared<const Roster>(std::move(roster));
}

size_t SqliteReader::ReadFailures(RunRecord& record, std::vector<int64_t>* ids) {
  size_t bytes = 0;
  StatementUse rows(failures_);
  BindText(*rows, 1, record.run.run_id);
  while (rows->executeStep()) {
    FieldReader fields(connection_, *rows, record.run.run_id, 0);
    VisitFailure(record.failures.emplace_back(), fields);
    bytes += fields.text_bytes();
    if (ids != nullptr) ids->push_back(rows->getColumn(static_cast<int>(Columns().failures.size())).getInt64());
  }
  return bytes;
}

std::optional<SqliteReader::Stored> SqliteReader::Load(const std::string& run_id) {
  Stored stored;
  {
    StatementUse row(run_);
    BindText(*row, 1, run_id);
    if (!row->executeStep()) return std::nullopt;
    ReadRun(*row, stored.record);
  }
  ReadParts(stored.record);
  ReadFailures(stored.record, &stored.failure_ids);
  return stored;
}

// Sorting all runs for each page would make a walk over an old database quadratic, so their order is kept in a
// temporary table from its first page on.
SqliteReader::Order SqliteReader::PageOrder(bool first_page) {
  const std::string runs = connection_.Table("runs") + " r";
  if (has_order_index_) return {runs, kStartedAt, "r.run_id"};
  if (first_page) {
    connection_.db().exec(
        "DROP TABLE IF EXISTS temp.flaky_page_order;"
        "CREATE TEMP TABLE flaky_page_order (started_at, run_id, PRIMARY KEY (started_at, run_id)) WITHOUT ROWID;"
        "INSERT INTO temp.flaky_page_order SELECT " +
        std::string(kStartedAt) + ", r.run_id FROM " + runs);
  }
  return {"temp.flaky_page_order o CROSS JOIN " + runs + " ON r.run_id = o.run_id", "o.started_at", "o.run_id"};
}

// A key's time as the runs' order has it: the stored text, where the run is there, so that not even a text of unusual
// form hides the runs behind it.
std::string SqliteReader::KeyText(const RunKey& key) {
  SQLite::Statement row(connection_.db(), "SELECT " + std::string(kStartedAt) + " FROM " + connection_.Table("runs") +
                                              " r WHERE r.run_id = ?");
  BindText(row, 1, key.run_id);
  if (row.executeStep() && row.getColumn(0).isText()) {
    std::string stored = row.getColumn(0).getString();
    if (Timestamp::Parse(stored) == key.started_at) return stored;
  }
  std::string text = key.started_at.ToString();
  text.pop_back();
  return text;
}

Page SqliteReader::Read(const PageRequest& request) {
  const bool newest_first = request.direction == Direction::kNewestFirst;
  const Order order = PageOrder(!request.after);
  SQLite::Transaction snapshot(connection_.db());

  // The key is both a place to begin at, for the index, and a tie to break. Where it lies outside the filter's window,
  // the window alone decides.
  RunFilter filter = request.filter;
  Conditions conditions;
  if (request.after) {
    const std::string key = KeyText(*request.after);
    std::optional<Timestamp>& window = newest_first ? filter.until : filter.since;
    if (!window || (newest_first ? key < Bound(*window) : key >= Bound(*window))) {
      window.reset();
      conditions.Add(order.started_at + (newest_first ? " <= ?" : " >= ?"), {key});
      conditions.Add("NOT (" + order.started_at + " = ? AND " + order.run_id + (newest_first ? " >= ?)" : " <= ?)"),
                     {key, request.after->run_id});
    }
  }
  conditions.AddRuns(filter, order.started_at);
  const std::string way = newest_first ? " DESC" : "";
  SQLite::Statement rows(connection_.db(), "SELECT " + run_columns_ + " FROM " + order.from + conditions.sql() +
                                               " ORDER BY " + order.started_at + way + ", " + order.run_id + way);
  conditions.BindTo(rows);

  Page page;
  size_t bytes = 0;
  while (rows.executeStep()) {
    if (!page.records.empty() && (page.records.size() >= request.max_records || bytes >= request.max_bytes)) {
      const Run& last = page.records.back().run;
      page.next = RunKey{last.account.started_at, last.run_id};
      break;
    }
    RunRecord& record = page.records.emplace_back();
    bytes += ReadRun(rows, record);
    if (request.detail == Detail::kRunsOnly) continue;
    bytes += ReadParts(record);
    bytes += ReadFailures(record, nullptr);
  }
  return page;
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
    std::string run_id = rows.getColumn(0).getString();
    if (!run_id.starts_with(prefix)) break;
    found.push_back(std::move(run_id));
  }
  return found;
}

// The window is looked up by text, from the day before so that a time of unusual form, with a blank or an offset, is
// not missed; then compared as the time it is.
void SqliteReader::VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor) {
  Conditions conditions;
  if (filter.after) {
    conditions.Add("f.failed_at >= ?",
                   {(std::clamp(*filter.after, kFirst + kMicrosPerDay, kLast) - kMicrosPerDay).Date()});
  }
  if (filter.project) conditions.Add("r.project IS ?", {*filter.project});
  if (filter.test_name) conditions.Add("f.test_name = ?", {*filter.test_name});
  SQLite::Statement rows(connection_.db(),
                         "SELECT r.run_id, f.test_file, f.test_name, f.failure_kind, f.error_message, f.error_stack, "
                         "f.failed_at, r.ended_at IS NOT NULL, r.failed_tests FROM " +
                             connection_.Table("failures") + " f CROSS JOIN " + connection_.Table("runs") +
                             " r ON r.run_id = f.run_id" + conditions.sql());
  conditions.BindTo(rows);

  while (rows.executeStep()) {
    FailureView view;
    FieldReader fields(connection_, rows, rows.getColumn(0).getText(), 0);
    fields("run_id", view.run_id);
    fields("test_file", view.test_file);
    fields("test_name", view.test_name);
    fields("failure_kind", view.failure_kind);
    fields("error_message", view.error_message);
    fields("error_stack", view.error_stack);
    fields("failed_at", view.failed_at);
    fields("ended_at", view.run_ended);
    fields("failed_tests", view.run_failed_tests);
    if (!filter.after || view.failed_at > *filter.after) visitor(view);
  }
}

Totals SqliteReader::Count(const RunFilter& filter) {
  Conditions conditions;
  conditions.AddRuns(filter, kStartedAt);
  const std::string runs = connection_.Table("runs") + " r";
  const auto count = [&](std::string_view table) {
    if (conditions.count() == 0) return "(SELECT count(*) FROM " + connection_.Table(table) + ")";
    return "(SELECT count(*) FROM " + runs + " JOIN " + connection_.Table(table) + " x ON x.run_id = r.run_id" +
           conditions.sql() + ")";
  };
  SQLite::Statement row(connection_.db(), "SELECT (SELECT count(*) FROM " + runs + conditions.sql() + "), " +
                                              (has_parts_ ? count("parts") : "0") + ", " + count("failures"));
  // The conditions stand in each of the subqueries.
  for (int first = 1; first <= row.getBindParameterCount(); first += conditions.count()) {
    conditions.BindTo(row, first);
  }
  row.executeStep();
  return {row.getColumn(0).getInt64(), row.getColumn(1).getInt64(), row.getColumn(2).getInt64()};
}

}  // namespace flaky
