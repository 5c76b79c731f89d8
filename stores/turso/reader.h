// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_TURSO_READER_H_
#define FLAKY_STORES_TURSO_READER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stores/http/adaptive_page_size.h"
#include "stores/sql/record_update.h"
#include "stores/sql/roster_cache.h"
#include "stores/store.h"
#include "stores/turso/connection.h"
#include "stores/turso/found_runs.h"

namespace flaky::turso {

// The reading verbs of the Turso store. Throws StoreError.
class Reader {
 public:
  // If the schema isn't up to date, columns that it lacks are read as absent.
  Reader(Connection& connection, bool up_to_date);

  Page Read(const PageRequest& request);
  std::vector<RunRecord> Fetch(std::span<const std::string> run_ids);
  std::vector<std::string> FindRuns(std::string_view prefix, size_t limit);
  void VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor);
  Totals Count(const RunFilter& filter);

  // Returns those of the runs that exist, with their parts, failures and rosters, in any order.
  std::vector<StoredRun> Load(std::span<const std::string> run_ids);

 private:
  // A query for runs, named `r`: from FROM on, without LIMIT.
  struct Source {
    std::string sql;
    std::vector<std::optional<std::string>> values;
  };
  std::optional<PageStart> StartOf(const std::optional<RunKey>& after);
  FoundRuns Take(const Source& source, size_t limit, Detail detail, http::AdaptivePageSize& pace);
  std::optional<FoundRuns> TryTake(const Source& source, size_t limit, Detail detail);
  FoundRuns TakeByRows(const Source& source, Detail detail);
  HranaAnswer Ask(const std::function<std::vector<HranaStatement>(bool raw)>& queries, std::string_view operation);
  HranaAnswer AskForOneRow(const HranaStatement& query, std::string_view operation);
  std::vector<HranaStatement> Queries(const Source& source, size_t limit, Detail detail, bool raw) const;

  Connection& connection_;
  bool has_parts_ = true;
  bool has_project_ = true;  // in failures
  std::string run_columns_;
  std::string failure_columns_;
  http::AdaptivePageSize whole_pace_;
  http::AdaptivePageSize runs_pace_;
  http::AdaptivePageSize fetch_pace_;
  http::AdaptivePageSize failures_pace_;

  // The last run of the last page, and its time as it is stored, if it is a text.
  std::optional<RunKey> last_key_;
  std::optional<std::string> last_time_;

  RosterCache rosters_;
};

}  // namespace flaky::turso

#endif  // FLAKY_STORES_TURSO_READER_H_
