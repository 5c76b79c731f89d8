// SPDX-License-Identifier: MIT
#include "stores/sql/record_update.h"

#include <algorithm>
#include <map>

#include "history/digest.h"

namespace flaky {

RecordUpdate RecordUpdateOf(const StoredRecord& known, const RunRecord& wanted) {
  RecordUpdate update;
  update.run = wanted.run != known.record.run;
  update.project = wanted.run.project != known.record.run.project;
  for (const Part& part : wanted.parts) {
    if (std::ranges::find(known.record.parts, part) == known.record.parts.end()) update.parts.push_back(&part);
  }
  std::multimap<Digest, int64_t> rows;
  for (size_t i = 0; i < known.failure_ids.size(); ++i) {
    rows.emplace(DigestOf(known.record.failures[i]), known.failure_ids[i]);
  }
  for (const Failure& failure : wanted.failures) {
    if (const auto row = rows.find(DigestOf(failure)); row != rows.end()) {
      rows.erase(row);
    } else {
      update.new_failures.push_back(&failure);
    }
  }
  for (const auto& [digest, id] : rows) update.old_failures.push_back(id);
  for (const Part& part : known.record.parts) {
    if (std::ranges::find(wanted.parts, part.part_id, &Part::part_id) == wanted.parts.end()) {
      update.old_parts.push_back(part.part_id);
    }
  }
  return update;
}

}  // namespace flaky
