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

// The contract of all stores: what a history is kept in. tests/contract holds every store to it.
//
// To add a store:
//  1. a folder stores/<name>/ with a header that declares one function, `std::unique_ptr<Store>
//     Open<Name>(const Location&, OpenMode)`, and a source that hides the class;
//  2. its dialect's numbered migrations in stores/schema/<dialect>/, unless an existing dialect serves;
//  3. a line in the table of stores/open.cc and a CMake option FLAKY_STORE_<NAME>;
//  4. a Traits and a line in tests/contract/;
//  5. a page docs/stores/<name>.md: the location's grammar, limits, permissions, what is stored.
// A store explains bad input instead of correcting it, reads neither the environment nor files of settings, never
// retries (stores/retry_store.h does), connects again at the next call when it has lost its connection, prints nothing,
// and lets no exception out but StoreError and std::bad_alloc.
namespace flaky {

enum class OpenMode {
  kRead,   // nothing is created, changed or upgraded; an old or foreign-but-compatible schema is read as it is
  kWrite,  // what is missing is created, the schema upgraded, before Open returns
  kBulk,   // as kWrite, for a copy: what costs time in every write may wait for Finish
};

struct WriteResult {
  enum class Outcome { kInserted, kUnchanged, kCompleted, kConflict, kReplaced };
  Outcome outcome = Outcome::kInserted;
  std::string conflict;  // kConflict: what contradicts
};

// Who is copying into a store.
struct CopyClaim {
  std::string holder;              // in the words of whoever claimed; empty: nobody
  std::chrono::seconds lapses{0};  // in so long, unless it is claimed again
};

// How tables from before (stores/sql/adoption.h) compare with the store's own.
struct AdoptionSummary {
  int64_t runs = 0;       // that the old tables hold
  int64_t failures = 0;   // that the old tables hold
  int64_t conflicts = 0;  // of the runs: those in use have another of this id, which stays
  int64_t missing = 0;    // of the runs: not in those in use
  int64_t left_out = 0;   // rows that no history can hold: runs without an id, failures without a run
};

struct SchemaState {
  int64_t found = 0;                 // the highest migration applied; 0: none, or tables of another tool
  int64_t known = 0;                 // the highest one this program has
  std::vector<std::string> pending;  // names of those to come, in order
  // What this object, as it was opened, found in tables from before and put into the store's; absent: it did not look,
  // or there are none.
  std::optional<AdoptionSummary> adopted = std::nullopt;
};

// One open store. Not thread-safe: one thread at a time uses an object; several objects, threads and processes may use
// one store at once. Every verb throws StoreError; after one the object may still be used, and nothing of the failed
// call is half done: each record is there whole or not at all.
class Store {
 public:
  virtual ~Store() = default;

  // The location as it may be shown.
  virtual const std::string& name() const = 0;

  virtual SchemaState schema() = 0;

  virtual StoreLimits limits() const { return {}; }

  // Makes each record's run hold what the record says, as history/merge.h defines it: atomically per record and
  // idempotent, so that a call whose answer was lost can be repeated. One result per record, in order. A conflicting
  // record is left out and reported; the others are written. A record that is equal or contained already is kUnchanged.
  // Run ids within one call are distinct. Precondition: not opened with kRead, texts are storable (history/text.h).
  virtual std::vector<WriteResult> Write(std::span<const RunRecord> records) = 0;

  // Makes each record's run be what the record says, whatever it was: as Write otherwise, and never a conflict.
  virtual std::vector<WriteResult> Replace(std::span<const RunRecord> records) = 0;

  // Lets one copy at a time into a store: `holder` has the claim for `lease` from now on, by the store's clock, where
  // it had it already, or nobody had, or only `instead_of`, or a claim has lapsed. A lease of zero gives it up. Says
  // who has it after that. Nothing else heeds it. Precondition: not opened with kRead, `holder` is not empty.
  virtual CopyClaim Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of) = 0;

  // Ends the writing of a store opened with kBulk: completes what was put off and makes all of it durable. Where it is
  // never called, because the process died, the next opening for writing completes it.
  virtual void Finish() {}

  // The next page of runs in the order (started_at, run_id), whole unless asked otherwise. Walking the pages meets
  // every run that was there at the start once, and may or may not meet those written meanwhile. Here and in Fetch, a
  // value that is none of its column's type is read as docs/reference/conversion.md says.
  virtual Page Read(const PageRequest& request) = 0;

  // The records of these runs as they are stored now, in any order; absent runs are left out.
  virtual std::vector<RunRecord> Fetch(std::span<const std::string> run_ids) = 0;

  // Up to `limit` run ids that begin with `prefix`, in order.
  virtual std::vector<std::string> FindRuns(std::string_view prefix, size_t limit) = 0;

  // Shows the visitor every failure that the filter lets through, in an order of the store's own that keeps (about
  // time).
  virtual void VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor) = 0;

  // How much there is, for progress and account: exact at some moment during the call.
  virtual Totals Count(const RunFilter& filter) = 0;
};

}  // namespace flaky

#endif  // FLAKY_STORES_STORE_H_
