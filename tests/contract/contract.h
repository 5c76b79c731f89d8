// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_CONTRACT_CONTRACT_H_
#define FLAKY_TESTS_CONTRACT_CONTRACT_H_

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "history/digest.h"
#include "stores/store.h"
#include "tests/support/walk_pages.h"

// The contract of stores/store.h as tests. To add a store, write <store>_contract.cc in this folder with a Place, a
// Traits and one INSTANTIATE_TEST_SUITE_P (see sqlite_contract.cc), and add a line flaky_contract(<store>) to
// CMakeLists.txt, which builds the program <store>_contract_test from it and the suite. For a store on a server, start
// one server for the whole program (tests/servers) and give each Place its own database or schema. To extend the
// contract, write a TEST_P(StoreContract, …) in one of the *_test.cc files. Every store runs it.
namespace flaky {

// A fresh, empty place for one store's history. It is gone when the object is destroyed.
class Place {
 public:
  virtual ~Place() = default;
  // Opens the store there. Each call returns a new object.
  virtual std::unique_ptr<Store> Open(OpenMode mode) = 0;
  // Lets `time` pass for the store's claims. Override it if the store's clock or the stored claim can be changed; this
  // one waits.
  virtual void AgeClaims(std::chrono::seconds time) { std::this_thread::sleep_for(time); }
  // Runs SQL as another program would, in which `{prefix}` means that of the tables. Returns false if the store
  // has no SQL. References are enforced.
  virtual bool Execute(const std::string&) { return false; }
};

// What the suite needs to know about a store. All differences between stores are listed here.
struct Traits {
  std::string name;  // of the tests: letters and digits
  std::function<std::unique_ptr<Place>()> make_place;
  bool has_schema = true;      // keeps a schema ledger: schema() reports versions
  bool keeps_any_kind = true;  // of failure_kind and status; if false, it refuses those that history/run.h lacks
};
inline std::ostream& operator<<(std::ostream& out, const Traits& traits) { return out << traits.name; }
inline std::string NameOf(const testing::TestParamInfo<Traits>& info) { return info.param.name; }

// For AgeClaims of a store that keeps its claims in the SQL table `<prefix>claims`.
inline std::string AgeClaimsSql(const std::string& prefix, std::chrono::seconds time) {
  return "UPDATE \"" + prefix + "claims\" SET lapses_at = lapses_at - " + std::to_string(time.count());
}

class StoreContract : public testing::TestWithParam<Traits> {
 protected:
  StoreContract() : place_(GetParam().make_place()), store_(place_->Open(OpenMode::kWrite)) {}

  Place& place() { return *place_; }
  Store& store() { return *store_; }
  std::unique_ptr<Store> Open(OpenMode mode) { return place_->Open(mode); }

  WriteResult WriteOne(const RunRecord& record) { return WriteOne(store(), record); }
  static WriteResult WriteOne(Store& store, const RunRecord& record) {
    const std::vector<WriteResult> results = store.Write({&record, 1});
    EXPECT_EQ(results.size(), 1u);
    return results.empty() ? WriteResult() : results.front();
  }

  // Returns the record of the run as it is stored. If it is missing, fails the test and returns an empty record.
  RunRecord FetchOne(const std::string& run_id) { return FetchOne(store(), run_id); }
  static RunRecord FetchOne(Store& store, const std::string& run_id) {
    std::vector<RunRecord> records = store.Fetch({&run_id, 1});
    EXPECT_EQ(records.size(), 1u) << run_id;
    return records.empty() ? RunRecord() : std::move(records.front());
  }

  static Digest Sum(const std::vector<RunRecord>& records) {
    Digest sum;
    for (const RunRecord& record : records) sum += DigestOf(record);
    return sum;
  }

  using Outcome = WriteResult::Outcome;

 private:
  std::unique_ptr<Place> place_;
  std::unique_ptr<Store> store_;
};

// Succeeds if the record that was read is the one that was written. Otherwise names the field that differs.
testing::AssertionResult SameRecord(const RunRecord& read, const RunRecord& written);

}  // namespace flaky

#endif  // FLAKY_TESTS_CONTRACT_CONTRACT_H_
