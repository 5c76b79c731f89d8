// SPDX-License-Identifier: MIT
#include "stores/sql/sqlite_dialect.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "history/text.h"

namespace flaky {
namespace {

// Returns a time as a bound for texts without Z. It is not above any text of the same time, however many digits that
// has.
std::string Bound(Timestamp time) {
  std::string text = std::clamp(time, Timestamp::kMin, Timestamp::kMax).ToString();
  return text.substr(0, text.find_last_not_of("0.Z") + 1);
}

// Only failures after this one in the order (failed_at, id): after the stored one, if it still exists. Only a failure
// without a time may have NULL, which comes first in the order and which no comparison finds.
void AddBehind(Conditions& conditions, const FailureKey& key, const SqliteTables& tables) {
  const std::string of_key = tables("failures") + " WHERE id = CAST(? AS INTEGER)";
  const std::string behind =
      "(f.failed_at, f.id) > (coalesce((SELECT failed_at FROM " + of_key + "), ?), CAST(? AS INTEGER))";
  const std::string id = std::to_string(key.id);
  const std::string time = key.failed_at.ToString();
  if (key.failed_at != kNoTime) {
    conditions.Add(behind, {id, time, id});
  } else {
    conditions.Add("CASE WHEN (SELECT failed_at IS NULL FROM " + of_key +
                       ") THEN f.failed_at IS NOT NULL OR f.id > CAST(? AS INTEGER) ELSE " + behind + " END",
                   {id, id, id, time, id});
  }
}

// Returns whether there is a text, without the text.
std::string EmptyOrNull(const std::string& column) { return "CASE WHEN " + column + " IS NOT NULL THEN '' END"; }

std::string IdsOf(const std::vector<FailureId>& rows) {
  return "[" + Join(rows, ",", [](const FailureId& row) { return std::to_string(row.id); }) + "]";
}

// Matches every time that can be read, and almost nothing else.
constexpr char kShape[] = " GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][T ][0-9][0-9]:[0-9][0-9]:[0-9][0-9]*'";

// A range of times, as texts in the runs' order.
struct Window {
  bool is_limited = false;
  bool holds_no_time = true;         // includes values that do not look like a time
  std::optional<std::string> begin;  // >=
  std::optional<std::string> end;    // <
};

// Leaves out a bound that no time reaches, because as a text it could equal one that some runs have.
Window WindowOf(const RunFilter& filter) {
  Window window;
  if (filter.since) window.begin = Bound(*filter.since);
  if (filter.until && *filter.until <= Timestamp::kMax) window.end = Bound(*filter.until);
  window.is_limited = window.begin || window.end;
  window.holds_no_time = (!window.begin || *filter.since <= kNoTime) && (!window.end || *filter.until > kNoTime);
  return window;
}

void AddWindow(Conditions& conditions, const Window& window, const std::string& started_at) {
  if (!window.is_limited) return;
  std::string sql = started_at + kShape;
  std::vector<std::optional<std::string>> bounds;
  for (const auto& [bound, compare] : {std::pair(window.begin, " >= ?"), std::pair(window.end, " < ?")}) {
    if (!bound) continue;
    sql += " AND " + started_at + compare;
    bounds.emplace_back(*bound);
  }
  if (window.holds_no_time) sql = "(" + sql + " OR coalesce(NOT " + started_at + kShape + ", true))";
  conditions.Add(sql, std::move(bounds));
}

std::string WithoutZ(std::string_view time) { return std::string(time.substr(0, time.find_last_not_of('Z') + 1)); }

}  // namespace

std::string StartedAtText(Timestamp time) {
  std::string text = time.ToString();
  text.pop_back();
  return text;
}

std::string TypeIsNot(std::string_view column, std::string_view type) {
  return "typeof(" + std::string(column) + ") <> '" + std::string(type) + "'";
}

std::string SelectList(std::string_view alias, const std::vector<std::string>& columns, const ColumnSet& present) {
  return Join(columns, ", ", [&](const std::string& column) {
    const bool missing = !present.empty() && !present.contains(column);
    return missing ? "NULL" : std::string(alias) + "." + column;
  });
}

void Conditions::Add(const std::string& sql, std::vector<std::optional<std::string>> values) {
  sql_ += (sql_.empty() ? " WHERE " : " AND ") + sql;
  std::ranges::move(values, std::back_inserter(values_));
}

void Conditions::AddRuns(const RunFilter& filter, const std::string& started_at) {
  if (filter.project) Add("r.project IS ?", {*filter.project});
  AddWindow(*this, WindowOf(filter), started_at);
}

std::string PlaceOfRun(const SqliteTables& tables) {
  return "SELECT CAST(started_at AS BLOB) FROM " + tables("runs") + " WHERE run_id = ?";
}

PageStart PageStartOf(const RunKey& key, const std::optional<StoredValue>& stored) {
  if (!stored || TimeOf(*stored).value_or(kNoTime) != key.started_at) {
    return {StartedAtText(key.started_at), key.run_id};
  }
  if (stored->type == StoredValue::Type::kNull) return {std::nullopt, key.run_id};
  return {WithoutZ(stored->bytes), key.run_id};
}

// The key is both a place to begin at, for the index, and a tie to break. If it is outside a window that compares only
// texts, the window decides. NULL comes before all texts, and no comparison finds it.
std::vector<PageQuery> QueriesOfPage(const PageRequest& request, const RunOrder& order,
                                     const std::optional<PageStart>& after) {
  const bool newest_first = request.direction == Direction::kNewestFirst;
  const std::string way = newest_first ? " DESC" : "";
  Window window = WindowOf(request.filter);
  Conditions behind;
  bool null_follows = false;
  if (after && !after->started_at) {
    behind.Add(newest_first ? order.started_at + " IS NULL AND " + order.run_id + " < ?"
                            : "(" + order.started_at + " IS NOT NULL OR " + order.run_id + " > ?)",
               {after->run_id});
  } else if (after) {
    const std::string& key = *after->started_at;
    std::optional<std::string>& bound = newest_first ? window.end : window.begin;
    const bool inside = !bound || (newest_first ? key < *bound : key >= *bound);
    if (inside || window.holds_no_time) {
      if (!window.holds_no_time) bound.reset();  // the key is nearer
      const std::string text = "rtrim(?, 'Z')";  // makes a text even of a blob, in the form of the index
      behind.Add(order.started_at + (newest_first ? " <= " : " >= ") + text, {key});
      behind.Add(
          "NOT (" + order.started_at + " = " + text + " AND " + order.run_id + (newest_first ? " >= ?)" : " <= ?)"),
          {key, after->run_id});
    }
    null_follows = newest_first && window.holds_no_time;
  }
  const auto query = [&](Conditions conditions) {
    if (request.filter.project) conditions.Add("r.project IS ?", {*request.filter.project});
    AddWindow(conditions, window, order.started_at);
    return PageQuery{std::move(conditions), " ORDER BY " + order.started_at + way + ", " + order.run_id + way};
  };
  std::vector<PageQuery> queries = {query(std::move(behind))};
  if (null_follows) {
    Conditions null;
    null.Add(order.started_at + " IS NULL", {});
    queries.push_back(query(std::move(null)));
  }
  return queries;
}

// The window is looked up by text, from the day before, so that a time of unusual form (with a blank or an offset) is
// not missed; the caller then compares the actual time. If the window includes kNoTime, any text may be in it. The
// failures of a project are those with its name and, of the rows without one, those of its runs: both are read in the
// order of the index, and merged.
FailuresQuery QueryOfFailures(const FailureFilter& filter, const SqliteTables& tables, bool has_project) {
  const bool by_project = has_project && filter.project && filter.ids.empty();
  // One bound is enough, and of two, SQLite might begin at the wrong one.
  const bool is_behind_it =
      filter.after && filter.behind && filter.behind->failed_at != kNoTime && filter.behind->failed_at >= *filter.after;
  FailuresQuery query;
  query.columns =
      "run_id, id, test_file, test_name, failure_kind, error_message, error_stack, failed_at, ended_at, failed_tests";
  const auto text = [&](const std::string& column) {
    return (filter.texts ? "f." + column : EmptyOrNull("f." + column)) + " AS " + column;
  };
  const std::string from =
      "SELECT r.run_id AS run_id, f.id AS id, f.test_file AS test_file, f.test_name AS test_name, "
      "f.failure_kind AS failure_kind, " +
      text("error_message") + ", " + text("error_stack") +
      ", f.failed_at AS failed_at, r.ended_at AS ended_at, r.failed_tests AS failed_tests FROM " + tables("failures") +
      " f CROSS JOIN " + tables("runs") + " r ON r.run_id = f.run_id";
  const auto add = [&](Conditions conditions) {
    if (filter.after && *filter.after >= kNoTime && !is_behind_it) {
      conditions.Add("f.failed_at >= ?", {(std::min(*filter.after, Timestamp::kMax) - kMicrosPerDay).Date()});
    }
    if (filter.test_name) conditions.Add("f.test_name = ?", {*filter.test_name});
    if (!filter.ids.empty()) conditions.Add("f.id IN (SELECT value FROM json_each(?))", {IdsOf(filter.ids)});
    if (filter.behind) AddBehind(conditions, *filter.behind, tables);
    query.rows += (query.rows.empty() ? "" : " UNION ALL ") + from + conditions.sql();
    query.values.insert(query.values.end(), conditions.values().begin(), conditions.values().end());
  };
  if (by_project && *filter.project) {
    Conditions own;
    own.Add("f.project = ?", {*filter.project});
    add(std::move(own));
  }
  Conditions by_run;
  if (by_project) by_run.Add("f.project IS NULL", {});
  if (filter.project) by_run.Add("r.project IS ?", {*filter.project});
  add(std::move(by_run));
  query.rows += " ORDER BY failed_at, id";
  return query;
}

std::string NewestRun(const SqliteTables& tables) {
  return "SELECT r.started_at FROM " + tables("runs") + " r ORDER BY " + kStartedAt + " DESC LIMIT 1";
}

CountQuery QueryOfCount(const RunFilter& filter, const SqliteTables& tables, bool has_parts) {
  CountQuery query;
  query.conditions.AddRuns(filter, kStartedAt);
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

std::string InsertInto(const std::string& table, const std::vector<std::string>& columns) {
  return "INSERT INTO " + table + " (" + Join(columns, ", ") + ")";
}

std::vector<std::string> AndRunId(std::vector<std::string> columns) {
  columns.emplace_back("run_id");
  return columns;
}

std::vector<std::string> WrittenOfFailure() {
  std::vector<std::string> columns = AndRunId(Columns().failures);
  columns.emplace_back("project");
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
