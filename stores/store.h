// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_STORE_H_
#define FLAKY_STORES_STORE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "history/failure_view.h"
#include "history/merge.h"
#include "history/run.h"
#include "stores/conversion.h"
#include "stores/error.h"
#include "stores/query.h"

// The contract of all stores, in which histories are kept. tests/contract tests it for every store.
//
// To add a store:
//  1. Derive a class from Store, in a new folder stores/<name>/ and the namespace flaky::<name>. Use Resolve
//     (stores/resolution.h) for a record whose run is stored already, and RecordCheck (stores/record_check.h) for
//     records that no store takes.
//  2. Define its Driver (stores/driver.h) as `const Driver kDriver`. Only `name` and `open` are required. Without
//     `examine`, `flaky doctor` reports that the store has no health check. For a store that speaks SQL, stores/sql/
//     has the ledger of migrations, the checks of tables and the reading of rows, and `sql` and `look_or_drop` serve
//     `flaky schema`. Its numbered migrations are in stores/schema/<dialect>/, unless an existing dialect is enough.
//  3. Describe it by a SchemeInfo in the table of stores/schemes.cc. Settings, locations, `flaky doctor` and `flaky
//     migrate-store` then know it; nothing else compares stores by name.
//  4. Build it: an option FLAKY_STORE_<NAME> in CMakeLists.txt, its sources and its line `string(APPEND drivers …)` in
//     stores/CMakeLists.txt.
//  5. Test it: tests/contract/<name>_contract.cc with a Place and a Traits, and its line in tests/contract/
//     CMakeLists.txt. With a FreshStore in tests/support/fresh_store.cc it joins the tests that copy between all
//     stores. A store on a server needs a class in tests/servers/ that starts one.
//  6. Document it: docs/stores/<name>.md with the form of its locations, limits, permissions and what is stored.
//
// A store outside this tree takes the first two steps, and calls RegisterStore (stores/open.h) with its SchemeInfo and
// Driver at the start of the program: a program that embeds the libraries, or one that links flaky::cli and calls
// RunProgram (cli/program.h), which is then `flaky` with one store more. It is tested by linking flaky::contract_suite.
//
// A store explains invalid input instead of correcting it, reads no setting of ours, neither from the environment nor
// from files (what its client library reads there counts: PGHOST, SSL_CERT_FILE and the like), never retries
// (stores/retry_store.h does), reconnects at the next call after it lost its connection, prints nothing, and throws only
// StoreError and std::bad_alloc.
namespace flaky {

enum class OpenMode {
  kRead,   // nothing is created, changed or upgraded; an old or foreign but compatible schema is read as it is
  kWrite,  // before Open returns, what is missing is created and the schema is upgraded
  kBulk,   // as kWrite, for a copy: work that makes every write slower may be put off until Finish
};

// What Write does with a record whose run is stored already.
enum class OnExisting {
  kMerge,    // merges both as history/merge.h defines it; records that contradict each other are a conflict
  kReplace,  // replaces the stored record, so that there is never a conflict
};

struct WriteResult {
  enum class Outcome { kInserted, kUnchanged, kCompleted, kConflict, kReplaced };
  Outcome outcome = Outcome::kInserted;
  std::string conflict;  // kConflict: what contradicts
};

// Who is copying into a store.
struct CopyClaim {
  std::string holder;              // identifies the claimant; empty if the store is not claimed
  std::chrono::seconds lapses{0};  // how long the claim lasts unless it is renewed
};

// How legacy tables (stores/sql/adoption.h) compare with the store's own.
struct AdoptionSummary {
  int64_t runs = 0;       // in the legacy tables
  int64_t failures = 0;   // in the legacy tables
  int64_t conflicts = 0;  // of the runs: the store has a different run of this id, which stays
  int64_t missing = 0;    // of the runs: not in the store
  int64_t left_out = 0;   // rows that no history can hold: runs without an id, failures without a run
};

struct SchemaState {
  int64_t found = 0;  // the highest applied migration; 0 without migrations, or for another tool's tables
  int64_t known = 0;  // the highest migration of this program
  std::vector<std::string> pending;  // names of the migrations that are not applied, in order
  // What opening this object imported from legacy tables. Absent if it did not look, or found no such tables.
  std::optional<AdoptionSummary> adopted = std::nullopt;
};

// One open store. Not thread-safe: one thread at a time uses an object. Several objects, threads and processes may use
// one store at once. Every verb throws StoreError. After that the object can still be used, and no part of the failed
// call is half done: each record is either stored completely or not at all.
class Store {
 public:
  virtual ~Store() = default;

  // The location without secrets.
  virtual const std::string& name() const = 0;

  virtual SchemaState schema() = 0;

  virtual StoreLimits limits() const { return {}; }

  // What opening found that the user should know and this program could not put right, one sentence each: for example,
  // that the tables are open to others.
  virtual std::vector<std::string> warnings() const { return {}; }

  // Stores the records: atomically per record and idempotently, so that a call whose answer was lost can be repeated.
  // Returns one result per record, in order. A conflicting record is not written and is reported; the others are
  // written. A record that is equal to the stored one, or contained in it, is kUnchanged. Run ids are distinct within
  // one call. Precondition: not opened with kRead; texts are storable (history/text.h).
  virtual std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting on_existing) = 0;
  std::vector<WriteResult> Write(std::span<const RunRecord> records) { return Write(records, OnExisting::kMerge); }

  // Acquires or renews the copy claim for `holder`, for `lease` from now on by the store's clock, if the store is
  // unclaimed or the claim has lapsed, is `holder`'s already, or is `instead_of`'s. A lease of zero releases it.
  // Returns who holds it afterwards. Advisory: no other verb checks it. Precondition: not opened with kRead; `holder`
  // is not empty.
  virtual CopyClaim Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of) = 0;

  // Ends the writing of a store opened with kBulk: completes what was put off and makes everything durable. If the
  // process dies before, the next opening for writing completes it.
  virtual void Finish() {}

  // Returns the next page of runs in the order (started_at, run_id), complete records unless requested otherwise.
  // Walking all pages returns every run that was there at the start exactly once; runs written during the walk may be
  // among them. Here and in Fetch, a value that is invalid for its column is read as docs/reference/conversion.md says.
  virtual Page Read(const PageRequest& request) = 0;

  // Returns the records of these runs as they are stored now, in any order. Runs that are not there are left out.
  virtual std::vector<RunRecord> Fetch(std::span<const std::string> run_ids) = 0;

  // Returns up to `limit` run ids that begin with `prefix`, in order.
  virtual std::vector<std::string> FindRuns(std::string_view prefix, size_t limit) = 0;

  // Calls `visitor` for each matching failure, in a stable, roughly chronological order.
  virtual void VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor) = 0;

  // Returns the number of runs, parts and failures, as it was at one moment during the call.
  virtual Totals Count(const RunFilter& filter) = 0;
};

}  // namespace flaky

#endif  // FLAKY_STORES_STORE_H_
