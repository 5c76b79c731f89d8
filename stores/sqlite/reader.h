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

namespace flaky {

// The reading verbs of the SQLite store. Throws SQLite::Exception and StoreError.
class SqliteReader {
 public:
  // An up-to-date schema has all columns; in an older one, those that it lacks are read as absent.
  SqliteReader(SqliteConnection& connection, bool up_to_date);

  Page Read(const PageRequest& request);
  std::vector<RunRecord> Fetch(std::span<const std::string> run_ids);
  std::vector<std::string> FindRuns(std::string_view prefix, size_t limit);
  void VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor);
  Totals Count(const RunFilter& filter);

  // Absent when there is no such run.
  std::optional<StoredRecord> Load(const std::string& run_id);

 private:
  using Told = std::vector<Conversion>*;  // as in ValueConverter

  // With our index the order of pages is the runs' own, without it a temporary table's.
  RunOrder PageOrder(bool first_page);
  std::optional<PageStart> StartOf(const std::optional<RunKey>& after);

  // Adds the rows to the page. False: it is full, and there are more.
  bool ReadRows(SQLite::Statement& rows, const PageRequest& request, Page& page, size_t& bytes);
  size_t ReadRun(const SQLite::Statement& row, RunRecord& record, Told told) const;
  size_t ReadParts(RunRecord& record, Told told);
  size_t ReadFailures(RunRecord& record, std::vector<int64_t>* ids, Told told);
  // Null: it is not there, or damaged.
  RosterPtr ReadRoster(const std::string& roster_id, size_t& bytes);

  SqliteConnection& connection_;
  bool has_order_index_ = true;
  bool has_page_order_ = false;
  bool has_parts_ = true;
  std::string run_columns_;
  SQLite::Statement run_;
  std::optional<SQLite::Statement> parts_;
  SQLite::Statement failures_;
  std::optional<SQLite::Statement> roster_;

  RosterCache rosters_;
};

}  // namespace flaky

#endif  // FLAKY_STORES_SQLITE_READER_H_
