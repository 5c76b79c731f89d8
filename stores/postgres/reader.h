// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_POSTGRES_READER_H_
#define FLAKY_STORES_POSTGRES_READER_H_

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stores/postgres/connection.h"
#include "stores/postgres/loader.h"
#include "stores/postgres/schema.h"
#include "stores/store.h"

namespace flaky::postgres {

// The reading verbs of the PostgreSQL store. Each runs in one transaction with one snapshot, except for VisitFailures,
// which has a separate transaction for each page. Throws StoreError.
class Reader {
 public:
  // `present` as in RecordLoader.
  Reader(Connection& connection, TableColumns present);

  Page Read(const PageRequest& request);
  std::vector<RunRecord> Fetch(std::span<const std::string> run_ids);
  std::vector<std::string> FindRuns(std::string_view prefix, size_t limit);
  void VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor);
  Totals Count(const RunFilter& filter);

 private:
  size_t ReadRun(const pqxx::row& row, RunRecord& record, std::vector<Conversion>* conversions) const;

  Connection& connection_;
  RecordLoader loader_;
  std::string started_at_;  // as pages are ordered
  bool has_parts_;
  bool has_project_;  // in failures
  std::string run_columns_;
};

}  // namespace flaky::postgres

#endif  // FLAKY_STORES_POSTGRES_READER_H_
