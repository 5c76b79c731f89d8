// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_TURSO_FOUND_RUNS_H_
#define FLAKY_STORES_TURSO_FOUND_RUNS_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "stores/sql/record_update.h"
#include "stores/sql/roster_cache.h"
#include "stores/store.h"
#include "stores/turso/connection.h"
#include "stores/turso/hrana_value.h"

namespace flaky::turso {

// A record as it is stored, with what is needed to find out later whether it has changed.
struct StoredRun : StoredRecord {
  std::vector<Conversion> conversions;
  std::optional<std::string> started_at;  // as it is stored, if it is a text
  std::vector<HranaValue> values;         // of the run's row, in the order of the columns
  std::shared_ptr<const void> texts;      // of `values`
  size_t text_bytes = 0;
};

// Builds records from the rows of Reader's queries, one row at a time.
class FoundRuns {
 public:
  // The queries, in the order of their results.
  enum Query : size_t { kRuns, kFailures, kParts, kRosters };

  // Takes at most `limit` runs. The others must outlive this object.
  FoundRuns(const Connection& connection, RosterCache& rosters, size_t limit)
      : connection_(&connection), rosters_(&rosters), limit_(limit) {}

  // Adds a row. The runs come first. Rows of runs that were not found are ignored. Throws StoreError.
  void Take(size_t query, std::span<const HranaValue> row);
  // Adds the rosters to each record. Called once, after all rows.
  void GiveRosters();

  std::vector<StoredRun>& runs() { return runs_; }
  bool more() const { return more_; }  // there are runs after the last one
  size_t bytes() const;                // of the texts

 private:
  void TakeRun(std::span<const HranaValue> row);
  void TakeFailure(std::span<const HranaValue> row);
  void TakePart(std::span<const HranaValue> row);
  void TakeRoster(std::span<const HranaValue> row);
  StoredRun* RunOf(std::string_view run_id);

  const Connection* connection_;
  RosterCache* rosters_;
  size_t limit_;
  std::vector<StoredRun> runs_;
  bool more_ = false;
  std::unordered_map<std::string, size_t> places_;  // of the runs, by their ids
  size_t last_ = 0;                                 // the run of the last row: consecutive ones mostly have the same
};

}  // namespace flaky::turso

#endif  // FLAKY_STORES_TURSO_FOUND_RUNS_H_
