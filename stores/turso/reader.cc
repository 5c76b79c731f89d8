// SPDX-License-Identifier: MIT
#include "stores/turso/reader.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <utility>

#include "history/fields.h"
#include "stores/turso/columns.h"
#include "stores/turso/raw_text.h"
#include "stores/turso/schema.h"

namespace flaky::turso {
namespace {

constexpr std::string_view kReadRuns = "read runs";
constexpr std::string_view kReadFailures = "read failures";
constexpr std::string_view kFindRuns = "find runs";

constexpr size_t kMaxAnswerText = 1 << 20;

// The sizes of the first pages: of whole records, of runs alone, of failures.
constexpr size_t kFirstRecords = 128;
constexpr size_t kFirstRuns = 512;
constexpr size_t kFirstFailures = 1024;
constexpr size_t kMaxRows = 10'000;  // with up to a hundred separators each, fewer than http::kMostValues
constexpr size_t kFoundAtOnce = 1000;

constexpr size_t kColumnsOfView = 10;  // of ReadView (stores/sql/tables.h)

bool AnyTooLarge(const HranaAnswer& answer) {
  return std::ranges::any_of(answer.results,
                             [](const HranaResult& result) { return result.error && IsTooLarge(*result.error); });
}

// Returns the beginning of a query: `named` has the ids of the rosters of the parts `p`, and of the lists that those
// name. A text that is not a roster names none.
std::string WithLists(const SqliteTables& tables, const std::string& from_parts) {
  return "WITH used (roster_id) AS MATERIALIZED (SELECT DISTINCT p.roster_id" + from_parts +
         "), named (roster_id) AS MATERIALIZED (SELECT roster_id FROM used UNION SELECT CASE l.type WHEN 'array' THEN "
         "json_extract(l.value, '$[0]') END FROM used CROSS JOIN " +
         tables("rosters") +
         " r ON r.roster_id = used.roster_id CROSS JOIN json_each(CASE WHEN json_valid(r.tests) THEN r.tests ELSE '{}' "
         "END) AS pieces CROSS JOIN json_each(CASE pieces.type WHEN 'array' THEN pieces.value ELSE '[]' END) AS l) ";
}

size_t TextBytes(const HranaResult& rows) {
  size_t bytes = 0;
  for (const HranaValue& value : rows.values) bytes += value.text.size();
  return bytes;
}

}  // namespace

Reader::Reader(Connection& connection, bool up_to_date)
    : connection_(connection),
      whole_pace_(kFirstRecords),
      runs_pace_(kFirstRuns),
      fetch_pace_(kFirstRecords),
      failures_pace_(kFirstFailures) {
  const SqliteTables& tables = connection.tables();
  TableColumns present;
  if (!up_to_date) {
    present = ReadOurTables(connection);
    has_parts_ = !present[tables.Name("parts")].empty();
    has_project_ = present[tables.Name("failures")].contains("project");
  }
  run_columns_ = SelectList("r", Columns().runs, present[tables.Name("runs")]);
  failure_columns_ = SelectList("f", Columns().failures, present[tables.Name("failures")]) + ", f.id, f.run_id";
}

// Returns the queries for the runs (one more than asked for, to find out whether there are more), and for the parts,
// failures and not yet known rosters of all runs except for that one.
std::vector<HranaStatement> Reader::Queries(const Source& source, size_t limit, Detail detail, bool raw) const {
  const SqliteTables& tables = connection_.tables();
  const auto rows = static_cast<int64_t>(limit);
  std::vector<HranaStatement> queries;
  queries.push_back(BoundAsIs("SELECT " + SelectedColumns(run_columns_, raw) + source.sql + " LIMIT ?", source.values)
                        .Integer(rows + 1)
                        .Selects(Columns().runs.size()));
  if (detail == Detail::kRunsOnly) return queries;

  const std::string page = "(SELECT r.run_id AS run_id" + source.sql + " LIMIT ?) page";
  const auto of_page = [&](std::string_view table, const std::string& alias) {
    return " FROM " + page + " CROSS JOIN " + tables(table) + ' ' + alias + " ON " + alias + ".run_id = page.run_id";
  };
  queries.push_back(
      BoundAsIs("SELECT " + SelectedColumns(failure_columns_, raw) + of_page("failures", "f"), source.values)
          .Integer(rows)
          .Selects(Columns().failures.size() + 2));
  if (!has_parts_) return queries;
  queries.push_back(BoundAsIs("SELECT " + SelectedColumns(SelectList("p", Columns().parts, {}) + ", p.run_id", raw) +
                                  of_page("parts", "p"),
                              source.values)
                        .Integer(rows)
                        .Selects(Columns().parts.size() + 1));
  queries.push_back(BoundAsIs(WithLists(tables, of_page("parts", "p")) + "SELECT " +
                                  SelectedColumns("x.roster_id, x.tests", raw) + " FROM " + tables("rosters") +
                                  " x WHERE x.roster_id IN (SELECT roster_id FROM named) AND x.roster_id NOT IN "
                                  "(SELECT value FROM json_each(?))",
                              source.values)
                        .Integer(rows)
                        .Text(JsonArray(rosters_.Ids()))
                        .Selects(2));
  return queries;
}

FoundRuns Reader::Take(const Source& source, size_t limit, Detail detail, http::AdaptivePageSize& pace) {
  for (;;) {
    if (auto found = TryTake(source, limit, detail)) {
      pace.Got(limit, found->runs().size(), found->bytes());
      return std::move(*found);
    }
    if (limit == 1) return TakeByRows(source, detail);
    limit = pace.Refused(limit);
  }
}

// Returns the answer to the queries. If the server can't put a text into its answer, asks again for all texts as blobs.
HranaAnswer Reader::Ask(const std::function<std::vector<HranaStatement>(bool raw)>& queries,
                        std::string_view operation) {
  try {
    return connection_.TryRead(queries(false), operation);
  } catch (const TextIsNoUtf8&) {
  }
  HranaAnswer answer = connection_.TryRead(queries(true), operation);
  for (HranaResult& result : answer.results) TakeTags(result.values);
  return answer;
}

// Returns the answer to a raw query for one row. An answer row by row always has blobs, because the server would
// silently truncate it at a text that isn't UTF-8.
HranaAnswer Reader::AskForOneRow(const HranaStatement& query, std::string_view operation) {
  const auto texts = std::make_shared<std::deque<std::string>>();
  HranaAnswer answer;
  answer.texts = texts;
  HranaResult& result = answer.results.emplace_back();
  result.width = query.columns();
  connection_.ReadRows({&query, 1}, operation, [&](size_t, std::span<HranaValue> row) {
    if (!result.values.empty()) connection_.FailMalformed(operation);
    result.values.assign(row.begin(), row.end());
    for (HranaValue& value : result.values) value.text = texts->emplace_back(value.text);
  });
  TakeTags(result.values);
  return answer;
}

// Returns nullopt if the answer is too long.
std::optional<FoundRuns> Reader::TryTake(const Source& source, size_t limit, Detail detail) {
  const HranaAnswer answer = Ask([&](bool raw) { return Queries(source, limit, detail, raw); }, kReadRuns);
  if (AnyTooLarge(answer)) return std::nullopt;
  connection_.ThrowIfFailed(answer, kReadRuns);
  FoundRuns found(connection_, rosters_, limit);
  for (size_t query = 0; query < answer.results.size(); ++query) {
    const HranaResult& rows = answer.results[query];
    for (size_t i = 0; i < rows.rows(); ++i) found.Take(query, rows.row(i));
  }
  found.GiveRosters();
  return found;
}

FoundRuns Reader::TakeByRows(const Source& source, Detail detail) {
  constexpr size_t kOne = 1;
  FoundRuns found(connection_, rosters_, kOne);
  connection_.ReadRows(Queries(source, kOne, detail, true), kReadRuns, [&](size_t query, std::span<HranaValue> row) {
    TakeTags(row);
    found.Take(query, row);
  });
  found.GiveRosters();
  return found;
}

std::optional<PageStart> Reader::StartOf(const std::optional<RunKey>& after) {
  if (!after) return std::nullopt;
  if (last_time_ && last_key_->run_id == after->run_id && last_key_->started_at == after->started_at) {
    return PageStartOf(*after, StoredValue{StoredValue::Type::kText, 0, 0, *last_time_});
  }
  const HranaAnswer answer =
      connection_.Read(HranaStatement(PlaceOfRun(connection_.tables())).Text(after->run_id).Selects(1), kReadRuns);
  const HranaResult& rows = answer.results.front();
  if (rows.rows() == 0) return PageStartOf(*after, std::nullopt);
  return PageStartOf(*after, ValueOf(rows.row(0)[0]));
}

// Reads a page in several requests, because parsing an answer takes many times the memory of its texts.
Page Reader::Read(const PageRequest& request) {
  const RunOrder order{connection_.tables()("runs") + " r", kStartedAt, "r.run_id"};
  http::AdaptivePageSize& pace = request.detail == Detail::kFull ? whole_pace_ : runs_pace_;
  PageRequest rest = request;
  Page page;
  size_t bytes = 0;
  const auto is_full = [&] {
    return !page.records.empty() && (page.records.size() >= request.max_records || bytes >= request.max_bytes);
  };
  // Adds the runs of one request. Returns false if the query has no more runs.
  const auto take = [&](const PageQuery& query) {
    const Source source{" FROM " + order.from + query.conditions.sql() + query.order_by, query.conditions.values()};
    const size_t limit = pace.Next(std::min(request.max_records - page.records.size(), kMaxRows),
                                   std::min(request.max_bytes - std::min(bytes, request.max_bytes), kMaxAnswerText));
    FoundRuns found = Take(source, limit, request.detail, pace);
    for (StoredRun& run : found.runs()) {
      if (is_full()) return true;
      bytes += run.text_bytes;
      const Run& read = run.record.run;
      last_key_ = RunKey{read.account.started_at, read.run_id};
      last_time_ = std::move(run.started_at);
      if (!run.conversions.empty()) page.converted.push_back({read.run_id, std::move(run.conversions)});
      page.records.push_back(std::move(run.record));
    }
    return found.more();
  };
  for (bool more = true; more && !page.next;) {
    const std::vector<PageQuery> queries = QueriesOfPage(rest, order, StartOf(rest.after));
    more = std::ranges::any_of(queries, take);
    if (more && is_full()) page.next = last_key_;
    rest.after = last_key_;
  }
  return page;
}

std::vector<StoredRun> Reader::Load(std::span<const std::string> run_ids) {
  std::vector<StoredRun> stored;
  while (!run_ids.empty()) {
    const size_t count = fetch_pace_.Next(run_ids.size(), kMaxAnswerText);
    const Source source{
        " FROM " + connection_.tables()("runs") + " r WHERE r.run_id IN (SELECT value FROM json_each(?))",
        {JsonArray(run_ids.first(count))}};
    std::optional<FoundRuns> found = TryTake(source, count, Detail::kFull);
    if (!found && count > 1) {
      fetch_pace_.Refused(count);
      continue;
    }
    if (!found) found = TakeByRows(source, Detail::kFull);
    fetch_pace_.Got(count, found->runs().size(), found->bytes());
    std::ranges::move(found->runs(), std::back_inserter(stored));
    run_ids = run_ids.subspan(count);
  }
  return stored;
}

std::vector<RunRecord> Reader::Fetch(std::span<const std::string> run_ids) {
  std::vector<RunRecord> records;
  std::vector<std::string> ids;  // the server has no other
  std::ranges::copy_if(run_ids, std::back_inserter(ids), IsStorable);
  for (StoredRun& run : Load(ids)) records.push_back(std::move(run.record));
  return records;
}

std::vector<std::string> Reader::FindRuns(std::string_view prefix, size_t limit) {
  std::vector<std::string> found;
  if (!IsStorable(prefix)) return found;
  std::string first(prefix);
  const char* compare = " >= ?";
  while (found.size() < limit) {
    const size_t count = std::min(limit - found.size(), kFoundAtOnce);
    const HranaAnswer answer = connection_.Read(HranaStatement("SELECT run_id FROM " + connection_.tables()("runs") +
                                                               " WHERE run_id" + compare + " ORDER BY run_id LIMIT ?")
                                                    .Text(first)
                                                    .Integer(static_cast<int64_t>(count))
                                                    .Selects(1),
                                                kFindRuns);
    const HranaResult& rows = answer.results.front();
    if (rows.rows() > count) connection_.FailMalformed(kFindRuns);
    for (size_t i = 0; i < rows.rows(); ++i) {
      std::string run_id;
      RowReader({connection_, rows.row(i)}, "runs")("run_id", run_id);
      if (!run_id.starts_with(prefix)) return found;
      found.push_back(std::move(run_id));
    }
    if (rows.rows() < count) break;
    first = found.back();
    compare = " > ?";
  }
  return found;
}

void Reader::VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor) {
  FailureFilter rest = filter;
  for (;;) {
    const FailuresQuery query = QueryOfFailures(rest, connection_.tables(), has_project_);
    size_t limit = failures_pace_.Next(kMaxRows, kMaxAnswerText);
    const auto statement = [&](bool raw) {
      std::string sql = query.rows + " LIMIT ?";
      if (raw) sql = "SELECT " + SelectedColumns(query.columns, raw) + " FROM (" + sql + ") ORDER BY failed_at, id";
      return BoundAsIs(sql, query.values).Integer(static_cast<int64_t>(limit)).Selects(kColumnsOfView);
    };
    const auto ask = [&] { return Ask([&](bool raw) { return std::vector{statement(raw)}; }, kReadFailures); };
    HranaAnswer answer = ask();
    while (AnyTooLarge(answer) && limit > 1) {
      limit = failures_pace_.Refused(limit);
      answer = ask();
    }
    if (AnyTooLarge(answer)) answer = AskForOneRow(statement(true), kReadFailures);
    connection_.ThrowIfFailed(answer, kReadFailures);

    const HranaResult& rows = answer.results.front();
    if (rows.rows() > limit) connection_.FailMalformed(kReadFailures);
    failures_pace_.Got(limit, rows.rows(), TextBytes(rows));
    for (size_t i = 0; i < rows.rows(); ++i) {
      RowReader fields({connection_, rows.row(i)}, "failures");
      const FailureView view = ReadView(fields);
      rest.behind = FailureKey{view.failed_at, view.id};
      if (!filter.after || view.failed_at > *filter.after) visitor(view);
    }
    if (rows.rows() < limit) return;
  }
}

Totals Reader::Count(const RunFilter& filter) {
  const CountQuery query = QueryOfCount(filter, connection_.tables(), has_parts_);
  HranaStatement statement(query.sql);
  statement.Selects(3);
  for (int i = 0; i < query.repeats; ++i) {
    for (const auto& value : query.conditions.values()) statement.TextOrNull(value);
  }
  const HranaAnswer answer = connection_.ReadOne(statement, "count runs");
  RowReader fields({connection_, answer.results.front().row(0)}, "runs");
  Totals totals;
  fields("runs", totals.runs);
  fields("parts", totals.parts);
  fields("failures", totals.failures);
  return totals;
}

}  // namespace flaky::turso
