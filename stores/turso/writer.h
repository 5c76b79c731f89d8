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

namespace flaky {

// What a row may hold on a libSQL server: it takes 5,000,000 bytes, of which numbers, times and SQLite's own header
// need a little.
inline constexpr size_t kTursoRowBytes = 4'900'000;

// The writing verbs of the Turso store. Throws StoreError.
//
// A transaction cannot wait for its client there, so nothing is read within it. New records are inserted at once; those
// that are there already are read, merged here, and written in a transaction that fails when what was read has changed
// meanwhile. Then it begins again: of several writers one always gets through.
class TursoWriter {
 public:
  // The schema must be up to date. The reader loads what is to be completed.
  TursoWriter(TursoConnection& connection, TursoReader& reader);

  // Store::Write, or Store::Replace.
  std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting existing);
  CopyClaim Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of);

 private:
  struct Plan;

  void WriteChunk(std::span<const RunRecord> records, std::span<WriteResult> results);
  // False: others were faster and nothing was written. Without `look` all records are taken for new.
  bool TryChunk(std::span<const RunRecord> records, std::span<WriteResult> results, bool look);
  void AddNew(Plan& plan, const RunRecord& record) const;
  WriteResult AddKnown(Plan& plan, const StoredRun& stored, const RunRecord& record) const;
  void AddGuard(Plan& plan, const StoredRun& stored) const;
  void AddRosters(Plan& plan, const RunRecord& record) const;
  static void AddPart(Plan& plan, const std::string& run_id, const Part& part);
  static void AddFailure(Plan& plan, const std::string& run_id, const Failure& failure);
  bool Execute(Plan& plan);

  TursoConnection& connection_;
  TursoReader& reader_;
  const std::string check_new_sql_;
  const std::string check_sql_;
  const std::string guard_sql_;
  const std::string roster_guard_sql_;
  const std::string update_run_sql_;
  const std::string delete_failures_sql_;
  const std::string delete_part_sql_;

  // Whether the records of the last chunk already in the target: then those of the next mostly are, too.
  bool look_first_ = false;

  OnExisting existing_ = OnExisting::kMerge;  // of the call that is going on

  // Rosters that the database is known to hold, so that a text of many tests is not sent again with every run.
  std::unordered_set<std::string> known_rosters_;
};

}  // namespace flaky

#endif  // FLAKY_STORES_TURSO_WRITER_H_
