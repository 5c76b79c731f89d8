#include "stores/record_check.h"

#include <algorithm>

#include "history/roster.h"
#include "stores/error.h"

namespace flaky {

void RecordCheck::Check(const RunRecord& record) {
  const auto refuse = [&](const std::string& detail) {
    throw StoreError(ErrorKind::kInvalid, store_, "write run '" + record.run.run_id + "'", "", detail);
  };
  for (const RosterPtr& roster : record.rosters) {
    if (seen_.insert(roster.get()).second && RosterId(roster->tests) != roster->roster_id) {
      refuse("the content of its roster '" + roster->roster_id + "' does not belong to that id");
    }
  }
  for (const Part& part : record.parts) {
    const auto named = [&](const RosterPtr& roster) { return roster->roster_id == part.roster_id; };
    if (part.roster_id && std::none_of(record.rosters.begin(), record.rosters.end(), named)) {
      refuse("its part '" + part.part_id + "' names the roster '" + *part.roster_id +
             "', which the record does not hold");
    }
  }
}

}  // namespace flaky
