#ifndef FLAKY_TRANSFER_SELECTION_H_
#define FLAKY_TRANSFER_SELECTION_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "transfer/source.h"

namespace flaky {

// A project's name as runs have it; absent: no project.
using ProjectName = std::optional<std::string>;

// Which runs of a store are taken, and under which project they go on.
struct Selection {
  std::vector<ProjectName> projects = {};  // none: all
  std::optional<Timestamp> since = {};     // started_at >= since
  std::optional<Timestamp> until = {};     // started_at < until
  bool finished_only = false;              // skip the runs that have no end
  std::map<ProjectName, ProjectName> renamed = {};
};

// The selected runs of a store. The store must outlive the source and not be used beside it.
class SelectedSource : public Source {
 public:
  SelectedSource(Store& store, Selection selection);

  const std::string& name() const override { return store_.name(); }
  // An upper bound where only finished runs are taken: the others are found while reading.
  std::optional<Totals> Expected() override;
  std::optional<Batch> Next(const BatchLimits& limits) override;

  // Runs without an end that were left out so far.
  int64_t unfinished() const { return unfinished_; }

 private:
  Store& store_;
  Selection selection_;
  std::deque<StoreSource> pieces_;  // one a project, or one for all
  int64_t unfinished_ = 0;
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_SELECTION_H_
