#ifndef FLAKY_TESTS_SUPPORT_LIMITED_STORE_H_
#define FLAKY_TESTS_SUPPORT_LIMITED_STORE_H_

#include <memory>
#include <utility>
#include <vector>

#include "stores/forwarding_store.h"
#include "stores/record_check.h"

namespace flaky {

// A wrapper around a store that refuses rows above its limits, as a server would.
class LimitedStore : public ForwardingStore {
 public:
  LimitedStore(std::unique_ptr<Store> inner, StoreLimits limits) : ForwardingStore(std::move(inner)), limits_(limits) {}

  using Store::Write;
  StoreLimits limits() const override { return limits_; }
  std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting on_existing) override {
    for (const RunRecord& record : records) CheckRowSizes(record, limits_.row_bytes, name());
    return ForwardingStore::Write(records, on_existing);
  }

 private:
  const StoreLimits limits_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_SUPPORT_LIMITED_STORE_H_
