#ifndef FLAKY_STORES_FAULT_STORE_H_
#define FLAKY_STORES_FAULT_STORE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "stores/store.h"

namespace flaky {

enum class StoreVerb { kSchema, kWrite, kReplace, kClaim, kFinish, kRead, kFetch, kFindRuns, kVisitFailures, kCount };
inline constexpr size_t kStoreVerbs = 10;

// One failure to come.
struct Fault {
  enum class When {
    kBefore,  // the call does nothing
    kAfter,   // the call takes effect, its answer is lost
  };
  StoreVerb verb = StoreVerb::kWrite;
  When when = When::kBefore;
  ErrorKind kind = ErrorKind::kTransient;
  int64_t call = 1;   // counted from the injection: 1 is the verb's next call
  int64_t times = 1;  // so many successive calls of the verb fail
};

// A store that fails when told and otherwise does what the store within does: for showing that callers lose and double
// nothing. Counts the calls, so tests can tell what was done, not only what came out.
class FaultStore : public Store {
 public:
  explicit FaultStore(std::unique_ptr<Store> inner) : inner_(std::move(inner)) {}

  void Inject(const Fault& fault);
  // Calls of the verb so far, failed ones included.
  int64_t Calls(StoreVerb verb) const { return calls_[static_cast<size_t>(verb)]; }
  Store& inner() { return *inner_; }

  const std::string& name() const override { return inner_->name(); }
  SchemaState schema() override;
  StoreLimits limits() const override { return inner_->limits(); }
  std::vector<WriteResult> Write(std::span<const RunRecord> records) override;
  std::vector<WriteResult> Replace(std::span<const RunRecord> records) override;
  CopyClaim Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of) override;
  void Finish() override;
  Page Read(const PageRequest& request) override;
  std::vector<RunRecord> Fetch(std::span<const std::string> run_ids) override;
  std::vector<std::string> FindRuns(std::string_view prefix, size_t limit) override;
  void VisitFailures(const FailureFilter& filter, const std::function<void(const FailureView&)>& visitor) override;
  Totals Count(const RunFilter& filter) override;

 private:
  template <typename Call>
  auto Do(StoreVerb verb, Call&& call);
  void FailIfDue(StoreVerb verb, Fault::When when) const;

  struct Armed {
    Fault fault;
    int64_t first;  // in the verb's count of calls
  };
  std::unique_ptr<Store> inner_;
  std::vector<Armed> faults_;
  std::array<int64_t, kStoreVerbs> calls_ = {};
};

}  // namespace flaky

#endif  // FLAKY_STORES_FAULT_STORE_H_
