#ifndef FLAKY_TRANSFER_SINK_H_
#define FLAKY_TRANSFER_SINK_H_

#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "stores/store.h"

namespace flaky {

// Where records go. ReadBack may be called by one thread while another calls the other verbs.
class Sink {
 public:
  virtual ~Sink() = default;

  // As it may be shown.
  virtual const std::string& name() const = 0;

  // What it cannot hold: as Store::limits. Records that are written fit.
  virtual StoreLimits limits() const { return {}; }

  // As Store::Write.
  virtual std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting on_existing) = 0;

  // The runs as the sink holds them now: as Store::Fetch. Present is for whoever writes, before writing; ReadBack for
  // another, after it.
  virtual std::vector<RunRecord> Present(std::span<const std::string> run_ids) = 0;
  virtual std::vector<RunRecord> ReadBack(std::span<const std::string> run_ids) = 0;

  // After the last Write: as Store::Finish.
  virtual void Finish() = 0;
};

// A store as a sink, which must outlive it. Given a second object for the same store, reading back does not wait for
// writing.
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
