// SPDX-License-Identifier: MIT
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

// The project of a run; absent for a run without a project.
using ProjectName = std::optional<std::string>;

// Which runs of a store are selected, and under which project they are passed on.
struct Selection {
  std::vector<ProjectName> projects = {};  // none: all
  std::optional<Timestamp> since = {};     // started_at >= since
  std::optional<Timestamp> until = {};     // started_at < until
  bool finished_only = false;              // skip the runs that have no end
  std::map<ProjectName, ProjectName> renamed = {};
};

// The selected runs of a store. The store must outlive the source. Nothing else may use it during that time.
class SelectedSource : public Source {
 public:
  SelectedSource(Store& store, Selection selection);

  const std::string& name() const override { return store_.name(); }
  // Returns an upper bound if only finished runs are selected, because the others are found only while reading.
  std::optional<Totals> Expected() override;
  std::optional<Batch> Next(const BatchLimits& limits) override;

  // Returns how many runs without an end were left out so far.
  int64_t unfinished() const { return unfinished_; }

 private:
  Store& store_;
  Selection selection_;
  std::deque<StoreSource> sources_;  // one for each project, or one for all
  int64_t unfinished_ = 0;
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_SELECTION_H_
