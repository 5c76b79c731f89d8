#ifndef FLAKY_TRANSFER_SOURCE_H_
#define FLAKY_TRANSFER_SOURCE_H_

#include <optional>
#include <span>
#include <string>

#include "stores/store.h"
#include "transfer/batch.h"

namespace flaky {

// Where records come from. Next may be called on a thread of its own.
class Source {
 public:
  virtual ~Source() = default;

  // As it may be shown.
  virtual const std::string& name() const = 0;

  // How much there is, if that can be known beforehand at a small price.
  virtual std::optional<Totals> Expected() = 0;

  // The next batch; absent at the end. Each run id comes once. Throws StoreError.
  virtual std::optional<Batch> Next(const BatchLimits& limits) = 0;
};

// The runs of a store that the filter lets through. The store must outlive the source and not be used beside it.
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
