// SPDX-License-Identifier: MIT
#include "stores/turso/reader.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>
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
constexpr size_t kMaxRows = 20'000;
constexpr size_t kFoundAtOnce = 1000;

bool AnyTooLarge(const HranaAnswer& answer) {
  return std::ranges::any_of(answer.results,
                             [](const HranaResult& result) { return result.error && IsTooLarge(*result.error); });
}

size_t StartedAtColumn() {
  static const auto column = std::ranges::find(Columns().runs, "started_at") - Columns().runs.begin();
  return static_cast<size_t>(column);
}

size_t TextBytes(const HranaResult& rows) {
  size_t bytes = 0;
  for (const HranaValue& value : rows.values) bytes += value.text.size();
  return bytes;
}

// Keeps copies of the values' texts, so that the answer, which is mostly long texts of failures, can be freed.
void KeepValues(std::span<const HranaValue> row, StoredRun& run) {
  size_t bytes = 0;
  for (const HranaValue& value : row) bytes += value.text.size();
  const auto texts = std::make_shared<std::string>();
  texts->reserve(bytes);
  run.values.assign(row.begin(), row.end());
  for (HranaValue& value : run.values) {
    const size_t begin = texts->size();
    texts->append(value.text);
    value.text = {texts->data() + begin, value.text.size()};
  }
  run.texts = texts;
}

// Finds the run of each row. Consecutive rows mostly belong to the same run.
class RunFinder {
 public:
  explicit RunFinder(std::vector<StoredRun>& runs) : runs_(runs) {
    for (size_t i = 0; i < runs.size(); ++i) places_.emplace(runs[i].record.run.run_id, i);
  }
  // Returns null if the run isn't among them.
  StoredRun* Find(std::string_view run_id) {
    if (last_ < runs_.size() && runs_[last_].record.run.run_id == run_id) return &runs_[last_];
    const auto place = places_.find(run_id);
    if (place == places_.end()) return nullptr;
    last_ = place->second;
    return &runs_[last_];
  }

 private:
  std::vector<StoredRun>& runs_;
  std::unordered_map<std::string_view, size_t> places_;
  size_t last_ = 0;
};

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
                        .Integer(rows + 1));
  if (detail == Detail::kRunsOnly) return queries;

  const std::string page = "(SELECT r.run_id AS run_id" + source.sql + " LIMIT ?) page";
  const auto of_page = [&](std::string_view table, const std::string& alias) {
    return " FROM " + page + " CROSS JOIN " + tables(table) + ' ' + alias + " ON " + alias + ".run_id = page.run_id";
  };
  queries.push_back(
      BoundAsIs("SELECT " + SelectedColumns(failure_columns_, raw) + of_page("failures", "f"), source.values)
          .Integer(rows));
  if (!has_parts_) return queries;
  queries.push_back(BoundAsIs("SELECT " + SelectedColumns(SelectList("p", Columns().parts, {}) + ", p.run_id", raw) +
                                  of_page("parts", "p"),
                              source.values)
                        .Integer(rows));
  queries.push_back(BoundAsIs("SELECT " + SelectedColumns("x.roster_id, x.tests", raw) + " FROM " + tables("rosters") +
                                  " x WHERE x.roster_id IN (SELECT p.roster_id" + of_page("parts", "p") +
                                  ") AND x.roster_id NOT IN (SELECT value FROM json_each(?))",
                              source.values)
                        .Integer(rows)
                        .Text(JsonArray(rosters_.Ids())));
  return queries;
}

size_t Reader::BytesOf(const Found& found) {
  size_t bytes = 0;
  for (const StoredRun& run : found.runs) bytes += run.text_bytes;
  return bytes;
}

Reader::Found Reader::Take(const Source& source, size_t limit, Detail detail, http::AdaptivePageSize& pace) {
  for (;;) {
    if (auto found = TryTake(source, limit, detail, false)) {
      pace.Got(limit, found->runs.size(), BytesOf(*found));
      return std::move(*found);
    }
    if (limit == 1) return std::move(*TryTake(source, limit, detail, true));
    limit = pace.Refused(limit);
  }
}

// Returns the answer to the queries. If the server can't put a text into its answer, asks again for all texts as blobs.
// An answer row by row always has blobs, because the server would silently truncate it at such a text.
HranaAnswer Reader::Ask(const std::function<std::vector<HranaStatement>(bool raw)>& queries, std::string_view operation,
                        bool by_rows) {
  if (!by_rows) {
    try {
      return connection_.TryRead(queries(false), operation);
    } catch (const TextIsNoUtf8&) {
    }
  }
  HranaAnswer answer =
      by_rows ? connection_.TryReadLong(queries(true), operation) : connection_.TryRead(queries(true), operation);
  TakeTags(answer);
  return answer;
}

// Returns nullopt if the server refuses such a long answer.
std::optional<Reader::Found> Reader::TryTake(const Source& source, size_t limit, Detail detail, bool by_rows) {
  const HranaAnswer answer = Ask([&](bool raw) { return Queries(source, limit, detail, raw); }, kReadRuns, by_rows);
  if (!by_rows && AnyTooLarge(answer)) return std::nullopt;
  connection_.ThrowIfFailed(answer, kReadRuns);
  Found found;
  TakeRuns(answer, limit, found);
  if (detail == Detail::kFull) {
    TakeFailures(answer.results[1], found);
    if (has_parts_) TakeParts(answer.results[2], answer.results[3], found);
  }
  return found;
}

void Reader::TakeRuns(const HranaAnswer& answer, size_t limit, Found& found) const {
  const HranaResult& rows = answer.results.front();
  found.more = rows.rows() > limit;
  found.runs.resize(std::min(rows.rows(), limit));
  for (size_t i = 0; i < found.runs.size(); ++i) {
    const std::span<const HranaValue> row = rows.row(i);
    StoredRun& run = found.runs[i];
    RowReader fields({connection_, row}, "runs", &run.conversions);
    VisitRun(run.record.run, fields);
    run.text_bytes = fields.text_bytes();
    KeepValues(row, run);
    const HranaValue& time = row[StartedAtColumn()];
    if (time.type == HranaValue::Type::kText) run.started_at = time.text;
  }
}

void Reader::TakeFailures(const HranaResult& failures, Found& found) const {
  RunFinder finder(found.runs);
  const size_t id = Columns().failures.size();
  for (size_t i = 0; i < failures.rows(); ++i) {
    const std::span<const HranaValue> row = failures.row(i);
    StoredRun* run = finder.Find(row[id + 1].text);
    if (run == nullptr) continue;
    RowReader fields({connection_, row}, "failures", &run->conversions);
    VisitFailure(run->record.failures.emplace_back(), fields);
    fields("id", run->failure_ids.emplace_back());
    run->text_bytes += fields.text_bytes();
  }
}

void Reader::TakeParts(const HranaResult& parts, const HranaResult& rosters, Found& found) {
  TakeRosters(rosters);
  RunFinder finder(found.runs);
  for (size_t i = 0; i < parts.rows(); ++i) {
    const std::span<const HranaValue> row = parts.row(i);
    const std::string_view run_id = row[Columns().parts.size()].text;
    StoredRun* run = finder.Find(run_id);
    if (run == nullptr) continue;
    Part& part = run->record.parts.emplace_back();
    RowReader fields({connection_, row}, "parts", &run->conversions);
    VisitPart(part, fields);
    run->text_bytes += fields.text_bytes();
    if (!part.roster_id) continue;
    std::vector<RosterPtr>& own = run->record.rosters;
    if (std::ranges::any_of(own, [&](const RosterPtr& roster) { return roster->roster_id == *part.roster_id; })) {
      continue;
    }
    RosterPtr roster = rosters_.Find(*part.roster_id);
    if (roster == nullptr) {
      ReportRosterLeftOut(&run->conversions, *part.roster_id);
      part.roster_id.reset();
      continue;
    }
    constexpr long kHereAndInTheCache = 2;
    if (roster.use_count() == kHereAndInTheCache) run->text_bytes += roster->tests.size();
    own.push_back(std::move(roster));
  }
  rosters_.Trim();
}

void Reader::TakeRosters(const HranaResult& rosters) {
  for (size_t i = 0; i < rosters.rows(); ++i) {
    Roster roster;
    RowReader fields({connection_, rosters.row(i)}, "rosters");
    fields("roster_id", roster.roster_id);
    fields("tests", roster.tests);
    rosters_.Add(std::move(roster));
  }
}

std::optional<PageStart> Reader::StartOf(const std::optional<RunKey>& after) {
  if (!after) return std::nullopt;
  if (last_time_ && last_key_->run_id == after->run_id && last_key_->started_at == after->started_at) {
    return PageStartOf(*after, StoredValue{StoredValue::Type::kText, 0, 0, *last_time_});
  }
  const HranaAnswer answer =
      connection_.Read(HranaStatement(PlaceOfRun(connection_.tables())).Text(after->run_id), kReadRuns);
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
    Found found = Take(source, limit, request.detail, pace);
    for (StoredRun& run : found.runs) {
      if (is_full()) return true;
      bytes += run.text_bytes;
      const Run& read = run.record.run;
      last_key_ = RunKey{read.account.started_at, read.run_id};
      last_time_ = std::move(run.started_at);
      if (!run.conversions.empty()) page.converted.push_back({read.run_id, std::move(run.conversions)});
      page.records.push_back(std::move(run.record));
    }
    return found.more;
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
    std::optional<Found> found = TryTake(source, count, Detail::kFull, false);
    if (!found && count > 1) {
      fetch_pace_.Refused(count);
      continue;
    }
    if (!found) found = TryTake(source, count, Detail::kFull, true);
    fetch_pace_.Got(count, found->runs.size(), BytesOf(*found));
    std::move(found->runs.begin(), found->runs.end(), std::back_inserter(stored));
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
                                                    .Integer(static_cast<int64_t>(count)),
                                                kFindRuns);
    const HranaResult& rows = answer.results.front();
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
    const FailuresQuery query = QueryOfFailures(rest, connection_.tables());
    size_t limit = failures_pace_.Next(kMaxRows, kMaxAnswerText);
    const auto ask = [&](bool by_rows) {
      return Ask(
          [&](bool raw) {
            HranaStatement statement = BoundAsIs(
                "SELECT " + SelectedColumns(query.columns, raw) + query.source + " LIMIT ?", query.conditions.values());
            return std::vector{statement.Integer(static_cast<int64_t>(limit))};
          },
          kReadFailures, by_rows);
    };
    HranaAnswer answer = ask(false);
    while (AnyTooLarge(answer) && limit > 1) {
      limit = failures_pace_.Refused(limit);
      answer = ask(false);
    }
    if (AnyTooLarge(answer)) answer = ask(true);
    connection_.ThrowIfFailed(answer, kReadFailures);

    const HranaResult& rows = answer.results.front();
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
  for (int i = 0; i < query.repeats; ++i) {
    for (const auto& value : query.conditions.values()) statement.TextOrNull(value);
  }
  const HranaAnswer answer = connection_.Read(statement, "count runs");
  RowReader fields({connection_, answer.results.front().row(0)}, "runs");
  Totals totals;
  fields("runs", totals.runs);
  fields("parts", totals.parts);
  fields("failures", totals.failures);
  return totals;
}

}  // namespace flaky::turso
