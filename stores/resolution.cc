// SPDX-License-Identifier: MIT
#include "stores/resolution.h"

#include <utility>

#include "history/merge.h"

namespace flaky {

Resolution Resolve(const RunRecord& known, const RunRecord& incoming, OnExisting on_existing) {
  using Outcome = WriteResult::Outcome;
  Merge merge = MergeRecords(known, incoming);
  if (merge.outcome == MergeOutcome::kEqual) return {{Outcome::kUnchanged, {}}, {}};
  if (on_existing == OnExisting::kReplace) return {{Outcome::kReplaced, {}}, incoming};
  switch (merge.outcome) {
    case MergeOutcome::kConflict:
      return {{Outcome::kConflict, std::move(merge.conflict)}, {}};
    case MergeOutcome::kCompleted:
      return {{Outcome::kCompleted, {}}, std::move(merge.merged)};
    default:
      return {{Outcome::kUnchanged, {}}, {}};
  }
}

}  // namespace flaky
