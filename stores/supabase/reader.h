#ifndef FLAKY_STORES_SUPABASE_READER_H_
#define FLAKY_STORES_SUPABASE_READER_H_

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spool/record_of.h"
#include "stores/http/adaptive_page_size.h"
#include "stores/sql/record_update.h"
#include "stores/sql/roster_cache.h"
#include "stores/store.h"
#include "stores/supabase/connection.h"

namespace flaky {

// A record as it is stored, with what tells later whether it is still so.
struct SupabaseRecord : StoredRecord {
  std::string state;
  std::vector<Conversion> misread;
};

// The reading verbs of the Supabase store. Each page is one request, with one snapshot. Throws StoreError.
class SupabaseReader {
 public:
  explicit SupabaseReader(SupabaseConnection& connection);

  Page Read(const PageRequest& request);
  std::vector<RunRecord> Fetch(std::span<const std::string> run_ids);
  std::vector<std::string> FindRuns(std::string_view prefix, size_t limit);
  void VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor);
  Totals Count(const RunFilter& filter);

  // Those of the runs that are there, whole, in the order of the ids.
  std::vector<SupabaseRecord> Load(std::span<const std::string> run_ids);

 private:
  struct Answer {
    std::vector<SupabaseRecord> records;
    size_t done = 0;
    bool more = false;
    size_t bytes = 0;  // of text, about
  };
  Answer Ask(std::string_view function, const std::string& request, bool whole, std::string_view operation);
  SupabaseRecord RecordOf(simdjson::dom::element element, bool whole, size_t& bytes) const;
  void TakeRosters(simdjson::dom::element list);
  void GiveRosters(SupabaseRecord& record) const;

  SupabaseConnection& connection_;
  AdaptivePageSize whole_pace_;
  AdaptivePageSize runs_pace_;
  AdaptivePageSize fetch_pace_;

  RosterCache rosters_;
};

}  // namespace flaky

#endif  // FLAKY_STORES_SUPABASE_READER_H_
