// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_POSTGRES_LOADER_H_
#define FLAKY_STORES_POSTGRES_LOADER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "history/run.h"
#include "stores/conversion.h"
#include "stores/postgres/connection.h"
#include "stores/postgres/schema.h"
#include "stores/sql/roster_cache.h"

namespace flaky::postgres {

// Reads the parts, failures and rosters of runs, each with one query for many runs. Throws what libpqxx throws, and
// StoreError.
class RecordLoader {
 public:
  // `present` empty: all tables and columns exist. Otherwise, missing ones are read as absent.
  RecordLoader(const Connection& connection, TableColumns present);

  // Completes the records, of which only the runs were read, in order, until about `max_bytes` of text were read or
  // likely() records are complete. Leaves the other records as they were. Returns how many are complete, at least one.
  // If `failure_ids` isn't null, adds the ids of the failures of each complete record, in their order. `conversions`
  // receives notes for each record; it may be empty, else it is as long as `records`.
  using Conversions = std::span<std::vector<Conversion>>;
  size_t Load(pqxx::transaction_base& transaction, std::span<RunRecord> records, size_t max_bytes,
              std::vector<std::vector<int64_t>>* failure_ids = nullptr, Conversions conversions = {});

  // Returns how many records the next Load can probably complete, judged by the last ones. For more records, the server
  // would look up rows that Load then leaves out.
  size_t likely() const { return likely_; }

 private:
  void LoadParts(pqxx::transaction_base& transaction, std::span<RunRecord> records, Conversions conversions) const;
  size_t LoadRosters(pqxx::transaction_base& transaction, std::span<RunRecord> records, int64_t& budget,
                     Conversions conversions);
  // Fetches rosters or lists that are not cached, in order of the places of the records that need them. Returns how
  // many records have theirs.
  size_t Fetch(pqxx::transaction_base& transaction, const std::map<std::string, size_t, std::less<>>& places,
               size_t complete, int64_t& budget);
  size_t LoadFailures(pqxx::transaction_base& transaction, std::span<RunRecord> records, int64_t budget,
                      std::vector<std::vector<int64_t>>* failure_ids, Conversions conversions) const;

  const Connection& connection_;
  std::string parts_sql_;  // empty if there is no such table
  std::string rosters_sql_;
  std::string failures_sql_;

  RosterCache rosters_;
  size_t likely_ = 256;
};

}  // namespace flaky::postgres

#endif  // FLAKY_STORES_POSTGRES_LOADER_H_
