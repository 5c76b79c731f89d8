// SPDX-License-Identifier: MIT
#include "stores/postgres/loader.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "history/text.h"
#include "stores/postgres/binary.h"
#include "stores/postgres/columns.h"

namespace flaky::postgres {
namespace {

constexpr size_t kLeastLikely = 16;
constexpr size_t kMostLikely = 4096;

// Returns the query for the rows of a table that belong to the runs of $1, each with the run's place in that list. The
// inner query runs once for each run. So the server uses an index even if a new table isn't analyzed yet.
std::string RowsOfRuns(const std::string& table, const std::string& columns) {
  return "SELECT k.place, f.* FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS k (run_id, place) CROSS JOIN "
         "LATERAL (SELECT " +
         columns + " FROM " + table + " t WHERE t.run_id = k.run_id OFFSET 0) f";
}

// Returns the query that takes, from rows with `place` and `octets`, all rows of each place in order, until the sum of
// the octets reaches the parameter `bound`. The server doesn't look at large values before it has decided that.
std::string Bounded(const std::string& columns, const std::string& rows, std::string_view bound) {
  return "SELECT place, total, " + columns +
         " FROM (SELECT *, pg_catalog.sum(octets) OVER (ORDER BY place) AS total, pg_catalog.sum(octets) OVER "
         "(PARTITION BY place) AS own FROM (" +
         rows + ") r) b WHERE total - own < " + std::string(bound) + "::bigint ORDER BY place";
}

std::vector<TypedColumn> WithoutRunId(std::vector<TypedColumn> columns) {
  columns.pop_back();
  return columns;
}

std::string IdsOf(std::span<const RunRecord> records) {
  BinaryArray ids(ColumnType::kText);
  for (const RunRecord& record : records) ids.AddText(record.run.run_id);
  return ids.Take();
}

std::vector<Conversion>* ConversionsOf(RecordLoader::Conversions conversions, size_t index) {
  return conversions.empty() ? nullptr : &conversions[index];
}

}  // namespace

RecordLoader::RecordLoader(const Connection& connection, TableColumns present) : connection_(connection) {
  const bool has_parts = present.empty() || !present[connection.Name("parts")].empty();
  const std::vector<TypedColumn> failures = WithoutRunId(TypedColumns().failures);
  failures_sql_ = Bounded("id, " + Join(NamesOf(failures), ", "),
                          RowsOfRuns(connection.Table("failures"),
                                     "t.id, " + SelectColumns("t", failures, present[connection.Name("failures")]) +
                                         ", coalesce(pg_catalog.octet_length(t.error_message), 0) + "
                                         "coalesce(pg_catalog.octet_length(t.error_stack), 0) AS octets"),
                          "$2") +
                  ", id";
  if (!has_parts) return;
  const std::vector<TypedColumn> parts = WithoutRunId(TypedColumns().parts);
  parts_sql_ = RowsOfRuns(connection.Table("parts"), SelectColumns("t", parts, {})) +
               " ORDER BY k.place, f.part_id COLLATE \"C\"";
  rosters_sql_ = Bounded(
      "roster_id, tests",
      "SELECT k.place, t.roster_id, t.tests, pg_catalog.octet_length(t.tests) AS octets "
      "FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::bigint[])) AS k (roster_id, place) JOIN " +
          connection.Table("rosters") + " t ON t.roster_id = k.roster_id",
      "$3");
}

size_t RecordLoader::Load(pqxx::transaction_base& transaction, std::span<RunRecord> records, size_t max_bytes,
                          std::vector<std::vector<int64_t>>* failure_ids, Conversions conversions) {
  if (records.empty()) return 0;
  if (records.size() > likely_) records = records.first(likely_);
  auto budget =
      static_cast<int64_t>(std::clamp<size_t>(max_bytes, 1, static_cast<size_t>(std::numeric_limits<int64_t>::max())));
  size_t complete = records.size();
  if (!parts_sql_.empty()) {
    LoadParts(transaction, records, conversions);
    complete = LoadRosters(transaction, records, budget, conversions);
  }
  complete = LoadFailures(transaction, records.first(complete), budget, failure_ids, conversions);
  for (RunRecord& record : records.subspan(complete)) {
    record.parts.clear();
    record.rosters.clear();
  }
  if (complete < records.size()) {
    likely_ = std::max(complete + complete / 4, kLeastLikely);
  } else if (complete == likely_) {
    likely_ = std::min(likely_ * 2, kMostLikely);
  }
  return complete;
}

void RecordLoader::LoadParts(pqxx::transaction_base& transaction, std::span<RunRecord> records,
                             Conversions conversions) const {
  const pqxx::result rows = Execute(transaction, parts_sql_, {IdsOf(records)});
  for (const pqxx::row& row : rows) {
    RowReader fields({connection_, row}, "parts");
    int64_t place = 0;
    fields("place", place);
    const auto index = static_cast<size_t>(place - 1);
    fields.set_conversions(ConversionsOf(conversions, index));
    VisitPart(records[index].parts.emplace_back(), fields);
  }
}

size_t RecordLoader::Fetch(pqxx::transaction_base& transaction,
                           const std::map<std::string, size_t, std::less<>>& places, size_t complete, int64_t& budget) {
  BinaryArray ids(ColumnType::kText);
  BinaryArray numbers(ColumnType::kNumber);
  bool all_known = true;
  for (const auto& [id, place] : places) {
    if (rosters_.Find(id) != nullptr) continue;
    all_known = false;
    ids.AddText(id);
    numbers.AddNumber(static_cast<int64_t>(place));
  }
  if (all_known) return complete;
  const pqxx::result rows = Execute(transaction, rosters_sql_, {ids.Take(), numbers.Take(), BinaryNumber(budget)});
  int64_t place = 0;
  int64_t total = 0;
  for (const pqxx::row& row : rows) {
    RowReader fields({connection_, row}, "rosters");
    Roster roster;
    fields("place", place);
    fields("total", total);
    fields("roster_id", roster.roster_id);
    fields("tests", roster.tests);
    rosters_.Add(std::move(roster));
  }
  if (total >= budget) complete = std::min(complete, static_cast<size_t>(place) + 1);
  budget = std::max<int64_t>(budget - total, 1);
  return complete;
}

size_t RecordLoader::LoadRosters(pqxx::transaction_base& transaction, std::span<RunRecord> records, int64_t& budget,
                                 Conversions conversions) {
  rosters_.Trim();
  std::map<std::string, size_t, std::less<>> rosters, lists;  // the first records that need them
  for (size_t i = 0; i < records.size(); ++i) {
    for (const Part& part : records[i].parts) {
      if (part.roster_id) rosters.try_emplace(*part.roster_id, i);
    }
  }
  size_t complete = Fetch(transaction, rosters, records.size(), budget);
  for (const auto& [id, place] : rosters) {
    if (place >= complete) continue;
    for (const std::string& list : rosters_.Lists(id)) {
      const auto [entry, is_new] = lists.try_emplace(list, place);
      if (!is_new) entry->second = std::min(entry->second, place);
    }
  }
  complete = Fetch(transaction, lists, complete, budget);
  for (size_t i = 0; i < complete; ++i) {
    for (Part& part : records[i].parts) {
      if (!part.roster_id || rosters_.Give(*part.roster_id, records[i].rosters)) continue;
      ReportRosterLeftOut(ConversionsOf(conversions, i), *part.roster_id);
      part.roster_id.reset();
    }
  }
  return complete;
}

size_t RecordLoader::LoadFailures(pqxx::transaction_base& transaction, std::span<RunRecord> records, int64_t budget,
                                  std::vector<std::vector<int64_t>>* failure_ids, Conversions conversions) const {
  const size_t first_ids = failure_ids == nullptr ? 0 : failure_ids->size();
  if (failure_ids != nullptr) failure_ids->resize(first_ids + records.size());
  const pqxx::result rows = Execute(transaction, failures_sql_, {IdsOf(records), BinaryNumber(budget)});
  int64_t place = 0;
  int64_t total = 0;
  for (const pqxx::row& row : rows) {
    RowReader fields({connection_, row}, "failures");
    int64_t id = 0;
    fields("place", place);
    fields("total", total);
    fields("id", id);
    const auto index = static_cast<size_t>(place - 1);
    fields.set_conversions(ConversionsOf(conversions, index));
    VisitFailure(records[index].failures.emplace_back(), fields);
    if (failure_ids != nullptr) (*failure_ids)[first_ids + index].push_back(id);
  }
  const size_t complete = total >= budget ? static_cast<size_t>(place) : records.size();
  if (failure_ids != nullptr) failure_ids->resize(first_ids + complete);
  return complete;
}

}  // namespace flaky::postgres
