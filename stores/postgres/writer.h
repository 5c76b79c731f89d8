// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_POSTGRES_WRITER_H_
#define FLAKY_STORES_POSTGRES_WRITER_H_

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "stores/postgres/connection.h"
#include "stores/postgres/loader.h"
#include "stores/sql/record_update.h"
#include "stores/store.h"

namespace flaky::postgres {

// The writing verbs of the PostgreSQL store. Throws StoreError.
class Writer {
 public:
  // The limit for all texts of one run, part, failure or roster together.
  static constexpr size_t kMaxRowBytes = 256 << 20;

  // The schema must be up to date.
  explicit Writer(Connection& connection);

  // Does what Store::Write promises. New runs are inserted with their parts, failures and rosters by one statement for
  // many records, which is one round trip. Existing runs are updated in a separate transaction.
  std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting on_existing);

  CopyClaim Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of);

 private:
  using Places = std::vector<size_t>;  // indexes of the records of one call, in order of the run ids

  void CheckKinds(pqxx::connection& session, std::span<const RunRecord> records) const;
  void WriteBatch(pqxx::connection& session, std::span<const RunRecord> records, Places batch, OnExisting on_existing,
                  std::vector<WriteResult>& results);
  std::unordered_set<std::string> InsertNew(pqxx::connection& session, std::span<const RunRecord> records,
                                            const Places& batch) const;
  Places Complete(pqxx::connection& session, std::span<const RunRecord> records, const Places& batch,
                  OnExisting on_existing, std::vector<WriteResult>& results);

  Connection& connection_;
  RecordLoader loader_;
};

}  // namespace flaky::postgres

#endif  // FLAKY_STORES_POSTGRES_WRITER_H_
