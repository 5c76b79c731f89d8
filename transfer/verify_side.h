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
#include "transfer/difference.h"
#include "transfer/prefetch.h"
#include "transfer/record_converter.h"
#include "transfer/verify.h"

// One of the two stores that are compared (transfer/verify.h), as a stream of runs in order.
namespace flaky {

// A run as it is compared.
struct Item {
  RunRecord record;
  Fingerprint fingerprint;
  bool converted = false;

  RunKey key() const { return {record.run.account.started_at, record.run.run_id}; }
};

class VerifySide {
 public:
  // Everything that is given must outlive the object. `other` is what the store is compared with.
  VerifySide(Store& store, const VerifyOptions& options, const StoreLimits& other);

  // Begins to read the runs that the filter lets through, on a thread of its own.
  void Begin(const RunFilter& filter);

  // The run that comes next; null at the end. Reading on takes a page, about which FreshPage tells.
  Item* Head();
  void Pop() { ++next_; }

  // True once after each page that Head took.
  bool FreshPage() { return std::exchange(fresh_page_, false); }

  // Ends what Begin began.
  void End() { pages_.reset(); }

  // The runs of these ids, as far as they are there, also while the reading goes on.
  std::unordered_map<std::string, Item> Lookup(std::span<const std::string> run_ids);

 private:
  using Items = std::vector<Item>;

  std::optional<Items> NextPage();
  std::vector<RunRecord> Chosen(std::vector<RunRecord> records);
  Item Prepare(RecordConverter& fitter, RunRecord record, bool converted) const;

  Store& store_;
  std::mutex store_mutex_;  // of pages and lookups, one uses the store at a time
  const VerifyOptions& options_;
  RecordConverter page_fitter_, lookup_fitter_;  // to what the other side can hold; one a thread
  PageRequest request_;
  bool at_end_ = false;
  Items items_;
  size_t next_ = 0;
  bool fresh_page_ = false;
  std::unique_ptr<Prefetch<Items>> pages_;  // last: its thread uses the others
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_VERIFY_SIDE_H_
