// SPDX-License-Identifier: MIT
#ifndef FLAKY_TRANSFER_SINK_H_
#define FLAKY_TRANSFER_SINK_H_

#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "stores/store.h"

namespace flaky {

// Where records go. One thread may call ReadBack while another calls the other functions.
class Sink {
 public:
  virtual ~Sink() = default;

  // Returns the name for messages, without secrets.
  virtual const std::string& name() const = 0;

  // As Store::limits. The caller only writes records within these limits.
  virtual StoreLimits limits() const { return {}; }

  // As Store::Write.
  virtual std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting on_existing) = 0;

  // Both return the runs as the sink holds them now, as Store::Fetch. Call Present on the thread that writes, before
  // writing, and ReadBack on the thread that verifies, after writing.
  virtual std::vector<RunRecord> Present(std::span<const std::string> run_ids) = 0;
  virtual std::vector<RunRecord> ReadBack(std::span<const std::string> run_ids) = 0;

  // As Store::Finish. Called after the last Write.
  virtual void Finish() = 0;
};

// A store as a sink. The store must outlive it. If a second object for the same store is passed, reading back does not
// wait for writing.
class StoreSink : public Sink {
 public:
  explicit StoreSink(Store& store) : StoreSink(store, store) {}
  StoreSink(Store& store, Store& for_reading) : store_(store), for_reading_(for_reading) {}

  const std::string& name() const override { return store_.name(); }
  StoreLimits limits() const override { return store_.limits(); }
  std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting on_existing) override {
    const std::unique_lock lock = LockIfShared();
    return store_.Write(records, on_existing);
  }
  std::vector<RunRecord> Present(std::span<const std::string> run_ids) override {
    const std::unique_lock lock = LockIfShared();
    return store_.Fetch(run_ids);
  }
  std::vector<RunRecord> ReadBack(std::span<const std::string> run_ids) override {
    const std::unique_lock lock = LockIfShared();
    return for_reading_.Fetch(run_ids);
  }
  void Finish() override { store_.Finish(); }

 private:
  std::unique_lock<std::mutex> LockIfShared() {
    return &store_ == &for_reading_ ? std::unique_lock(mutex_) : std::unique_lock<std::mutex>();
  }

  Store& store_;
  Store& for_reading_;
  std::mutex mutex_;
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_SINK_H_
