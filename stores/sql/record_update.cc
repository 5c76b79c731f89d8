#include "stores/sql/record_update.h"

#include <algorithm>
#include <map>
#include <utility>

#include "history/digest.h"
#include "history/merge.h"

namespace flaky {

Resolution Resolve(const RunRecord& known, const RunRecord& incoming, OnExisting existing) {
  using Outcome = WriteResult::Outcome;
  Merge merge = MergeRecords(known, incoming);
  if (merge.outcome == MergeOutcome::kEqual) return {{Outcome::kUnchanged, {}}, {}};
  if (existing == OnExisting::kReplace) return {{Outcome::kReplaced, {}}, incoming};
  switch (merge.outcome) {
    case MergeOutcome::kConflict:
      return {{Outcome::kConflict, std::move(merge.conflict)}, {}};
    case MergeOutcome::kCompleted:
      return {{Outcome::kCompleted, {}}, std::move(merge.merged)};
    default:
      return {{Outcome::kUnchanged, {}}, {}};
  }
}

RecordUpdate RecordUpdateOf(const StoredRecord& known, const RunRecord& wanted) {
  RecordUpdate completion;
  completion.run = wanted.run != known.record.run;
  for (const Part& part : wanted.parts) {
    if (std::ranges::find(known.record.parts, part) == known.record.parts.end()) completion.parts.push_back(&part);
  }
  std::multimap<Digest, int64_t> rows;
  for (size_t i = 0; i < known.failure_ids.size(); ++i) {
    rows.emplace(DigestOf(known.record.failures[i]), known.failure_ids[i]);
  }
  for (const Failure& failure : wanted.failures) {
    if (const auto row = rows.find(DigestOf(failure)); row != rows.end()) {
      rows.erase(row);
    } else {
      completion.new_failures.push_back(&failure);
    }
  }
  for (const auto& [digest, id] : rows) completion.old_failures.push_back(id);
  for (const Part& part : known.record.parts) {
    if (std::ranges::find(wanted.parts, part.part_id, &Part::part_id) == wanted.parts.end()) {
      completion.old_parts.push_back(part.part_id);
    }
  }
  return completion;
}

}  // namespace flaky
