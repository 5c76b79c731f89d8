// SPDX-License-Identifier: MIT
#ifndef FLAKY_TRANSFER_SOURCE_H_
#define FLAKY_TRANSFER_SOURCE_H_

#include <optional>
#include <span>
#include <string>

#include "stores/store.h"
#include "transfer/batch.h"

namespace flaky {

// Where records come from. Next may be called on a separate thread.
class Source {
 public:
  virtual ~Source() = default;

  // Returns the name for messages, without secrets.
  virtual const std::string& name() const = 0;

  // Returns how much there is; nullopt if that is unknown or expensive to find out.
  virtual std::optional<Totals> Expected() = 0;

  // Returns the next batch; nullopt at the end. Within a batch, each run id occurs once. Throws StoreError.
  virtual std::optional<Batch> Next(const BatchLimits& limits) = 0;
};

// The runs of a store that match the filter. The store must outlive the source. Nothing else may use it during that
// time.
class StoreSource : public Source {
 public:
  explicit StoreSource(Store& store, RunFilter filter = {}) : store_(store), filter_(std::move(filter)) {}
  const std::string& name() const override { return store_.name(); }
  std::optional<Totals> Expected() override { return store_.Count(filter_); }
  std::optional<Batch> Next(const BatchLimits& limits) override;

 private:
  Store& store_;
  RunFilter filter_;
  std::optional<RunKey> after_;
  bool at_end_ = false;
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_SOURCE_H_
