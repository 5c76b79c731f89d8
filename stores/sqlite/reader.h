// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SQLITE_READER_H_
#define FLAKY_STORES_SQLITE_READER_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stores/sql/record_update.h"
#include "stores/sql/roster_cache.h"
#include "stores/sql/sqlite_dialect.h"
#include "stores/sqlite/connection.h"
#include "stores/sqlite/schema.h"
#include "stores/store.h"

namespace flaky::sqlite {

// The reading verbs of the SQLite store. Throws SQLite::Exception and StoreError.
class Reader {
 public:
  // If the schema isn't up to date, columns that it lacks are read as absent.
  Reader(Connection& connection, bool up_to_date);

  Page Read(const PageRequest& request);
  std::vector<RunRecord> Fetch(std::span<const std::string> run_ids);
  std::vector<std::string> FindRuns(std::string_view prefix, size_t limit);
  void VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor);
  Totals Count(const RunFilter& filter);

  // Returns nullopt if there is no such run.
  std::optional<StoredRecord> Load(const std::string& run_id);

 private:
  // As in RowReader.
  using Conversions = std::vector<Conversion>*;

  // `present` empty: all tables and columns are there.
  Reader(Connection& connection, TableColumns present);

  // Returns the source of the runs in the order of pages: their table if it has our index, else a temporary table.
  RunOrder PageOrder(bool first_page);
  std::optional<PageStart> StartOf(const std::optional<RunKey>& after);

  // Adds the rows to the page. Returns false if the page is full and there are more rows.
  bool ReadRows(SQLite::Statement& rows, const PageRequest& request, Page& page, size_t& bytes);
  size_t ReadRun(const SQLite::Statement& row, RunRecord& record, Conversions conversions) const;
  size_t ReadParts(RunRecord& record, Conversions conversions);
  size_t ReadFailures(RunRecord& record, std::vector<int64_t>* ids, Conversions conversions);
  // Adds a roster and its lists to a record's, each once. Returns false if one of them is missing or damaged.
  bool GiveRoster(const std::string& roster_id, std::vector<RosterPtr>& rosters, size_t& bytes);
  // Reads a roster or a list into the cache. Returns false if it is missing or damaged.
  bool ReadRoster(const std::string& roster_id, size_t& bytes);

  Connection& connection_;
  bool has_order_index_ = true;
  bool has_page_order_ = false;
  bool has_parts_;
  bool has_project_;  // in failures
  std::string run_columns_;
  SQLite::Statement run_;
  std::optional<SQLite::Statement> parts_;
  SQLite::Statement failures_;
  std::optional<SQLite::Statement> roster_;

  RosterCache rosters_;
};

}  // namespace flaky::sqlite

#endif  // FLAKY_STORES_SQLITE_READER_H_
