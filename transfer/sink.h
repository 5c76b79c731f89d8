#ifndef FLAKY_TRANSFER_SINK_H_
#define FLAKY_TRANSFER_SINK_H_

#include <span>
#include <string>
#include <vector>

#include "stores/store.h"

namespace flaky {

// Where records go. Write and ReadBack are called by one thread.
class Sink {
 public:
  virtual ~Sink() = default;

  // As it may be shown.
  virtual const std::string& name() const = 0;

  // As Store::Write.
  virtual std::vector<WriteResult> Write(std::span<const RunRecord> records) = 0;

  // The runs as the sink holds them now, for comparing: as Store::Fetch.
  virtual std::vector<RunRecord> ReadBack(std::span<const std::string> run_ids) = 0;
};

// A store as a sink. The store must outlive it.
class StoreSink : public Sink {
 public:
  explicit StoreSink(Store& store) : store_(store) {}
  const std::string& name() const override { return store_.name(); }
  std::vector<WriteResult> Write(std::span<const RunRecord> records) override { return store_.Write(records); }
  std::vector<RunRecord> ReadBack(std::span<const std::string> run_ids) override { return store_.Fetch(run_ids); }

 private:
  Store& store_;
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_SINK_H_
