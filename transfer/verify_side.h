#ifndef FLAKY_TRANSFER_VERIFY_SIDE_H_
#define FLAKY_TRANSFER_VERIFY_SIDE_H_

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "stores/store.h"
#include "transfer/batch.h"
#include "transfer/difference.h"
#include "transfer/prefetch.h"
#include "transfer/record_converter.h"

// One of the two stores of a comparison (transfer/verify.h), as a stream of runs in order.
namespace flaky {

// A run prepared for the comparison.
struct ComparedItem {
  RunRecord record;
  Fingerprint fingerprint;
  bool converted = false;

  RunKey key() const { return {record.run.account.started_at, record.run.run_id}; }
};

// How a side is read. The fields are those of VerifyOptions.
struct SideOptions {
  BatchLimits limits;
  double share = 1;
  bool runs_only = false;
};

class VerifySide {
 public:
  // The store must outlive the object. `other`: the limits of the store that this one is compared with.
  VerifySide(Store& store, const SideOptions& options, const StoreLimits& other);

  // Begins to read the runs that match the filter, on a separate thread.
  void Begin(const RunFilter& filter);

  // Returns the next run; null at the end. Takes another page if necessary, which FreshPage then reports.
  ComparedItem* Head();
  void Pop() { ++next_; }

  // Returns true once after each page that Head took.
  bool FreshPage() { return std::exchange(fresh_page_, false); }

  // Ends the reading that Begin started.
  void End() { pages_.reset(); }

  // Returns those of the runs that the store has. May be called while the reading continues.
  std::unordered_map<std::string, ComparedItem> Lookup(std::span<const std::string> run_ids);

 private:
  using Items = std::vector<ComparedItem>;

  std::optional<Items> NextPage();
  std::vector<RunRecord> Sampled(std::vector<RunRecord> records);
  ComparedItem Prepare(RecordConverter& converter, RunRecord record, bool converted) const;

  Store& store_;
  std::mutex store_mutex_;  // the threads that read pages and look runs up take turns
  const SideOptions options_;
  RecordConverter page_converter_, lookup_converter_;  // to what the other side can hold; one for each thread
  PageRequest request_;
  bool at_end_ = false;
  Items items_;
  size_t next_ = 0;
  bool fresh_page_ = false;
  std::unique_ptr<Prefetch<Items>> pages_;  // last: its thread uses the members above
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_VERIFY_SIDE_H_
