// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_TURSO_WRITER_H_
#define FLAKY_STORES_TURSO_WRITER_H_

#include <chrono>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "stores/store.h"
#include "stores/turso/connection.h"
#include "stores/turso/reader.h"

namespace flaky::turso {

// The writing verbs of the Turso store. Throws StoreError.
//
// A transaction on these servers can't wait for its client, so nothing is read within it. New records are inserted
// straight away. Records of runs that exist already are read, merged here, and written in a transaction that fails if
// another writer has changed the run since it was read. Then the writer starts again. Of several writers, one always
// succeeds.
class Writer {
 public:
  // A server takes rows of 5,000,000 bytes, of which numbers, times and SQLite's own header need a little.
  static constexpr size_t kMaxRowBytes = 4'900'000;

  // The schema must be up to date. The reader loads the runs that are in the store already.
  Writer(Connection& connection, Reader& reader);

  // Does what Store::Write promises.
  std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting on_existing);
  CopyClaim Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of);

 private:
  struct Plan;

  void WriteChunk(std::span<const RunRecord> records, std::span<WriteResult> results);
  // Returns false, with nothing written, if another writer was faster. Without `look`, all records are assumed to be
  // new.
  bool TryChunk(std::span<const RunRecord> records, std::span<WriteResult> results, bool look);
  void AddNew(Plan& plan, const RunRecord& record) const;
  WriteResult AddKnown(Plan& plan, const StoredRun& stored, const RunRecord& record) const;
  void AddGuard(Plan& plan, const StoredRun& stored) const;
  void AddRosters(Plan& plan, const RunRecord& record) const;
  static void AddPart(Plan& plan, const std::string& run_id, const Part& part);
  static void AddFailure(Plan& plan, const Run& run, const Failure& failure);
  bool Execute(Plan& plan);

  Connection& connection_;
  Reader& reader_;
  const std::string check_new_sql_;
  const std::string check_sql_;
  const std::string guard_sql_;
  const std::string roster_guard_sql_;
  const std::string update_run_sql_;
  const std::string move_failures_sql_;
  const std::string delete_failures_sql_;
  const std::string delete_part_sql_;

  // True if the runs of the last chunk existed already: then those of the next chunk mostly do, too.
  bool look_first_ = false;

  OnExisting on_existing_ = OnExisting::kMerge;  // of the current call

  // Rosters that the database is known to contain, so that a list of many tests isn't sent again with every run.
  std::unordered_set<std::string> known_rosters_;
};

}  // namespace flaky::turso

#endif  // FLAKY_STORES_TURSO_WRITER_H_
