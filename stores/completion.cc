#include "stores/completion.h"

#include <algorithm>
#include <map>

#include "history/digest.h"

namespace flaky {

Completion CompletionOf(const StoredRecord& known, const RunRecord& merged) {
  Completion completion;
  completion.run = merged.run != known.record.run;
  for (const Part& part : merged.parts) {
    if (std::ranges::find(known.record.parts, part) == known.record.parts.end()) completion.parts.push_back(&part);
  }
  std::multimap<Digest, int64_t> rows;
  for (size_t i = 0; i < known.failure_ids.size(); ++i) {
    rows.emplace(DigestOf(known.record.failures[i]), known.failure_ids[i]);
  }
  for (const Failure& failure : merged.failures) {
    if (const auto row = rows.find(DigestOf(failure)); row != rows.end()) {
      rows.erase(row);
    } else {
      completion.new_failures.push_back(&failure);
    }
  }
  for (const auto& [digest, id] : rows) completion.old_failures.push_back(id);
  return completion;
}

}  // namespace flaky
