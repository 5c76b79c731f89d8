#ifndef FLAKY_STORES_POSTGRES_LOADER_H_
#define FLAKY_STORES_POSTGRES_LOADER_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "history/run.h"
#include "stores/conversion.h"
#include "stores/postgres/connection.h"
#include "stores/postgres/schema.h"
#include "stores/sql/roster_cache.h"

namespace flaky {

// Reads what belongs to runs: their parts, failures and rosters, for many runs with one query each. Throws what libpqxx
// throws, and StoreError.
class RecordLoader {
 public:
  // `present` empty: all tables and columns are there; otherwise those that are not are read as absent.
  RecordLoader(const PostgresConnection& connection, const PresentColumns& present);

  // Completes the records, of which only the runs are known, from the first on, until about `max_bytes` of text were
  // read or likely() of them: those left are as they were. Gives how many are complete, at least one. With
  // `failure_ids`, adds for each of these the ids of its failures in their order. `misread` is as long as the records,
  // or empty: nobody wants to know.
  using Misread = std::span<std::vector<Conversion>>;
  size_t Load(pqxx::transaction_base& transaction, std::span<RunRecord> records, size_t max_bytes,
              std::vector<std::vector<int64_t>>* failure_ids = nullptr, Misread misread = {});

  // How many records the next Load may well complete, by what the last ones did: for more it would have the server look
  // at what it then leaves out.
  size_t likely() const { return likely_; }

 private:
  void LoadParts(pqxx::transaction_base& transaction, std::span<RunRecord> records, Misread misread) const;
  size_t LoadRosters(pqxx::transaction_base& transaction, std::span<RunRecord> records, int64_t& budget,
                     Misread misread);
  size_t LoadFailures(pqxx::transaction_base& transaction, std::span<RunRecord> records, int64_t budget,
                      std::vector<std::vector<int64_t>>* failure_ids, Misread misread) const;

  const PostgresConnection& connection_;
  std::string parts_sql_;  // empty: there is no such table
  std::string rosters_sql_;
  std::string failures_sql_;

  RosterCache rosters_;
  size_t likely_ = 256;
};

}  // namespace flaky

#endif  // FLAKY_STORES_POSTGRES_LOADER_H_
