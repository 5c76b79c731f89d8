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

namespace flaky {

// The writing verbs of the PostgreSQL store. Throws StoreError.
class PostgresWriter {
 public:
  // Of the texts of one run, part, failure or roster together.
  static constexpr size_t kMaxRowBytes = 256 << 20;

  // The schema must be up to date.
  explicit PostgresWriter(PostgresConnection& connection);

  // Store::Write, or Store::Replace. Runs that are not there are inserted with all that belongs to them by one
  // statement for many records: one round trip. Those that are there are completed in a transaction of their own.
  std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting existing);

  CopyClaim Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of);

 private:
  using Places = std::vector<size_t>;  // in the records of one call, in order of the run ids

  void CheckKinds(pqxx::connection& session, std::span<const RunRecord> records) const;
  void WritePiece(pqxx::connection& session, std::span<const RunRecord> records, Places piece, OnExisting existing,
                  std::vector<WriteResult>& results);
  std::unordered_set<std::string> InsertNew(pqxx::connection& session, std::span<const RunRecord> records,
                                            const Places& piece) const;
  Places Complete(pqxx::connection& session, std::span<const RunRecord> records, const Places& piece,
                  OnExisting existing, std::vector<WriteResult>& results);

  PostgresConnection& connection_;
  RecordLoader loader_;
};

}  // namespace flaky

#endif  // FLAKY_STORES_POSTGRES_WRITER_H_
