#include "stores/sqlite/queries.h"

#include <algorithm>

#include "history/text.h"

namespace flaky {
namespace {

const Timestamp kFirst{-62'167'219'200 * kMicrosPerSecond};     // year 0
const Timestamp kLast{253'402'300'800 * kMicrosPerSecond - 1};  // the end of year 9999

// A moment as a bound for texts without Z: not above any text of the same moment, however many digits that has.
std::string Bound(Timestamp time) {
  std::string text = std::clamp(time, kFirst, kLast).ToString();
  return text.substr(0, text.find_last_not_of("0.Z") + 1);
}

// A text's place, without the text.
std::string EmptyOrNull(const std::string& column) { return "CASE WHEN " + column + " IS NOT NULL THEN '' END"; }

// The filter without a bound that no time reaches; as a text it would be one that some may have.
RunFilter Bounded(RunFilter filter) {
  if (filter.until && *filter.until > kLast) filter.until.reset();
  return filter;
}

}  // namespace

std::string StartedAtText(Timestamp time) {
  std::string text = time.ToString();
  text.pop_back();
  return text;
}

std::string SelectList(std::string_view alias, const std::vector<std::string>& columns, const ColumnSet& present) {
  std::string list;
  for (const std::string& column : columns) {
    if (!list.empty()) list += ", ";
    const bool missing = !present.empty() && !present.contains(column);
    list += missing ? "NULL" : std::string(alias) + "." + column;
  }
  return list;
}

void Conditions::Add(const std::string& sql, std::initializer_list<std::optional<std::string>> values) {
  sql_ += (sql_.empty() ? " WHERE " : " AND ") + sql;
  values_.insert(values_.end(), values);
}

void Conditions::AddRuns(const RunFilter& filter, const std::string& started_at) {
  if (filter.project) Add("r.project IS ?", {*filter.project});
  if (filter.since) Add(started_at + " >= ?", {Bound(*filter.since)});
  if (filter.until) Add(started_at + " < ?", {Bound(*filter.until)});
}

// The key is both a place to begin at, for the index, and a tie to break. Where it lies outside the filter's window,
// the window alone decides.
PageQuery QueryOfPage(const PageRequest& request, const RunOrder& order, const std::string& key) {
  const bool newest_first = request.direction == Direction::kNewestFirst;
  PageQuery query;
  RunFilter filter = Bounded(request.filter);
  if (request.after) {
    std::optional<Timestamp>& window = newest_first ? filter.until : filter.since;
    if (!window || (newest_first ? key < Bound(*window) : key >= Bound(*window))) {
      window.reset();
      query.conditions.Add(order.started_at + (newest_first ? " <= ?" : " >= ?"), {key});
      query.conditions.Add(
          "NOT (" + order.started_at + " = ? AND " + order.run_id + (newest_first ? " >= ?)" : " <= ?)"),
          {key, request.after->run_id});
    }
  }
  query.conditions.AddRuns(filter, order.started_at);
  const std::string way = newest_first ? " DESC" : "";
  query.order_by = " ORDER BY " + order.started_at + way + ", " + order.run_id + way;
  return query;
}

// The window is looked up by text, from the day before so that a time of unusual form, with a blank or an offset, is
// not missed; the caller compares it then as the time it is.
FailuresQuery QueryOfFailures(const FailureFilter& filter, const SqliteTables& tables) {
  FailuresQuery query;
  Conditions& conditions = query.conditions;
  if (filter.after) {
    conditions.Add("f.failed_at >= ?",
                   {(std::clamp(*filter.after, kFirst + kMicrosPerDay, kLast) - kMicrosPerDay).Date()});
  }
  if (filter.project) conditions.Add("r.project IS ?", {*filter.project});
  if (filter.test_name) conditions.Add("f.test_name = ?", {*filter.test_name});
  if (!filter.ids.empty()) conditions.Add("f.id IN (SELECT value FROM json_each(?))", {JsonArray(filter.ids)});
  if (filter.behind) {
    const std::string id = std::to_string(filter.behind->id);
    conditions.Add("(f.failed_at, f.id) > (coalesce((SELECT failed_at FROM " + tables("failures") +
                       " WHERE id = CAST(? AS INTEGER)), ?), CAST(? AS INTEGER))",
                   {id, filter.behind->failed_at.ToString(), id});
  }
  query.sql = "SELECT r.run_id, f.id, f.test_file, f.test_name, f.failure_kind, " +
              (filter.texts ? "f.error_message, f.error_stack"
                            : EmptyOrNull("f.error_message") + ", " + EmptyOrNull("f.error_stack")) +
              ", f.failed_at, r.ended_at IS NOT NULL, r.failed_tests FROM " + tables("failures") + " f CROSS JOIN " +
              tables("runs") + " r ON r.run_id = f.run_id" + conditions.sql() + " ORDER BY f.failed_at, f.id";
  return query;
}

CountQuery QueryOfCount(const RunFilter& filter, const SqliteTables& tables, bool has_parts) {
  CountQuery query;
  query.conditions.AddRuns(Bounded(filter), kStartedAt);
  const std::string& where = query.conditions.sql();
  const std::string runs = tables("runs") + " r";
  const auto count = [&](std::string_view table) {
    if (where.empty()) return "(SELECT count(*) FROM " + tables(table) + ")";
    return "(SELECT count(*) FROM " + runs + " JOIN " + tables(table) + " x ON x.run_id = r.run_id" + where + ")";
  };
  query.sql = "SELECT (SELECT count(*) FROM " + runs + where + "), " + (has_parts ? count("parts") : "0") + ", " +
              count("failures");
  query.repeats = has_parts ? 3 : 2;
  return query;
}

ClaimStatements StatementsOfClaim(const SqliteTables& tables) {
  const std::string claims = tables("claims");
  const std::string now = "CAST(strftime('%s', 'now') AS INTEGER)";
  return {"INSERT INTO " + claims + " AS c (name, holder, lapses_at) VALUES ('copy', ?1, " + now +
              " + ?2) ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, lapses_at = excluded.lapses_at WHERE "
              "c.holder IN (?1, ?3) OR c.lapses_at <= " +
              now,
          "DELETE FROM " + claims + " WHERE name = 'copy' AND holder = ?1",
          "SELECT holder, lapses_at - " + now + " FROM " + claims + " WHERE name = 'copy' AND lapses_at > " + now};
}

std::string JsonArray(std::span<const std::string> texts) {
  std::string array = "[";
  for (const std::string& text : texts) {
    if (array.size() > 1) array += ',';
    AppendJson(array, text);
  }
  return array + "]";
}

std::string JsonArray(std::span<const int64_t> numbers) {
  std::string array = "[";
  for (const int64_t number : numbers) array += (array.size() > 1 ? "," : "") + std::to_string(number);
  return array + "]";
}

std::string InsertInto(const std::string& table, const std::vector<std::string>& columns) {
  return "INSERT INTO " + table + " (" + Join(columns) + ")";
}

std::vector<std::string> AndRunId(std::vector<std::string> columns) {
  columns.emplace_back("run_id");
  return columns;
}

std::string OrReplacePart() {
  std::string sql = " ON CONFLICT (run_id, part_id) DO UPDATE SET ";
  bool first = true;
  for (const std::string& column : Columns().parts) {
    if (column == "part_id") continue;
    sql += (first ? "" : ", ") + column + " = excluded." + column;
    first = false;
  }
  return sql;
}

}  // namespace flaky
