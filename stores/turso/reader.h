#ifndef FLAKY_STORES_TURSO_READER_H_
#define FLAKY_STORES_TURSO_READER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stores/http/adaptive_page_size.h"
#include "stores/sql/record_update.h"
#include "stores/sql/roster_cache.h"
#include "stores/store.h"
#include "stores/turso/connection.h"

namespace flaky {

// A record as it is stored, with what tells later whether it is still so.
struct StoredRun : StoredRecord {
  std::vector<Conversion> misread;
  std::optional<std::string> started_at;  // as it is stored, if that is a text
  std::vector<HranaValue> values;         // of the run's row, in the order of the columns
  std::shared_ptr<const void> texts;      // of `values`
  size_t text_bytes = 0;
};

// The reading verbs of the Turso store. Throws StoreError.
class TursoReader {
 public:
  // An up-to-date schema has all columns; in an older one, those that it lacks are read as absent.
  TursoReader(TursoConnection& connection, bool up_to_date);

  Page Read(const PageRequest& request);
  std::vector<RunRecord> Fetch(std::span<const std::string> run_ids);
  std::vector<std::string> FindRuns(std::string_view prefix, size_t limit);
  void VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor);
  Totals Count(const RunFilter& filter);

  // Those of the runs that are there, whole, in any order.
  std::vector<StoredRun> Load(std::span<const std::string> run_ids);

 private:
  // Runs as `r`, from FROM on, without LIMIT.
  struct Source {
    std::string sql;
    std::vector<std::optional<std::string>> values;
  };
  struct Found {
    std::vector<StoredRun> runs;
    bool more = false;  // there are runs behind the last
  };
  static size_t BytesOf(const Found& found);
  std::optional<PageStart> StartOf(const std::optional<RunKey>& after);
  Found Take(const Source& source, size_t limit, Detail detail, AdaptivePageSize& pace);
  std::optional<Found> TryTake(const Source& source, size_t limit, Detail detail, bool by_rows);
  HranaAnswer Ask(const std::function<std::vector<HranaStatement>(bool raw)>& queries, std::string_view operation,
                  bool by_rows);
  std::vector<HranaStatement> Queries(const Source& source, size_t limit, Detail detail, bool raw) const;
  void TakeRuns(const HranaAnswer& answer, size_t limit, Found& found) const;
  void TakeParts(const HranaResult& parts, const HranaResult& rosters, Found& found);
  void TakeFailures(const HranaResult& failures, Found& found) const;
  void TakeRosters(const HranaResult& rosters);

  TursoConnection& connection_;
  bool has_parts_ = true;
  std::string run_columns_;
  std::string failure_columns_;
  AdaptivePageSize whole_pace_;
  AdaptivePageSize runs_pace_;
  AdaptivePageSize fetch_pace_;
  AdaptivePageSize failures_pace_;

  // Where the last page ended, and the run's time as it is stored, if that is a text.
  std::optional<RunKey> last_key_;
  std::optional<std::string> last_time_;

  RosterCache rosters_;
};

}  // namespace flaky

#endif  // FLAKY_STORES_TURSO_READER_H_
