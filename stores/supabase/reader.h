// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SUPABASE_READER_H_
#define FLAKY_STORES_SUPABASE_READER_H_

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stores/http/adaptive_page_size.h"
#include "stores/sql/record_update.h"
#include "stores/sql/roster_cache.h"
#include "stores/store.h"
#include "stores/supabase/connection.h"

namespace flaky::supabase {

// A record as it is stored, with what is needed to find out later whether it has changed.
struct StoredRun : StoredRecord {
  std::string state;  // changes whenever the stored record does
  std::vector<Conversion> conversions;
};

// The reading verbs of the Supabase store. Each page is one request, with one snapshot. Throws StoreError.
class Reader {
 public:
  explicit Reader(Connection& connection);

  Page Read(const PageRequest& request);
  std::vector<RunRecord> Fetch(std::span<const std::string> run_ids);
  std::vector<std::string> FindRuns(std::string_view prefix, size_t limit);
  void VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor);
  Totals Count(const RunFilter& filter);

  // Returns those of the runs that exist, with their parts, failures and rosters, in the order of the ids.
  std::vector<StoredRun> Load(std::span<const std::string> run_ids);

 private:
  struct Answer {
    std::vector<StoredRun> records;
    size_t done = 0;
    bool more = false;
    size_t bytes = 0;  // approximate size of the texts
  };
  Answer Ask(std::string_view function, const std::string& request, bool whole, std::string_view operation);
  StoredRun RecordOf(simdjson::dom::element element, bool whole, size_t& bytes) const;
  void TakeRosters(simdjson::dom::element list);
  void GiveRosters(StoredRun& record) const;

  Connection& connection_;
  http::AdaptivePageSize whole_pace_;
  http::AdaptivePageSize runs_pace_;
  http::AdaptivePageSize fetch_pace_;

  RosterCache rosters_;
};

}  // namespace flaky::supabase

#endif  // FLAKY_STORES_SUPABASE_READER_H_
