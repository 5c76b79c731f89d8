// SPDX-License-Identifier: MIT
#include "transfer/first_version_rosters.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "history/plain_json.h"
#include "history/roster.h"

namespace flaky {
namespace {

constexpr size_t kMaxRosters = 256;
constexpr size_t kMaxBytes = 16 << 20;

ProgramTests Parse(std::string_view text) {
  PlainJson json(text, "a roster of version 1");
  ProgramTests tests;
  json.Expect('{');
  if (!json.Take('}')) {
    do {
      std::string name = json.String();
      if (!tests.empty() && tests.rbegin()->first >= name) json.Fail("a name that is not after the one before it");
      json.Expect(':');
      TestCounts counts;
      if (json.Take('[')) {
        counts.executed = json.Number();
        json.Expect(',');
        counts.skipped = json.Number();
        json.Expect(']');
      } else {
        counts.executed = json.Number();
      }
      // Such a test has no result, and version 1 never wrote one.
      if (counts == TestCounts()) json.Fail("a test that was neither executed nor skipped");
      tests.emplace_hint(tests.end(), std::move(name), PartTest{counts, std::nullopt});
    } while (json.Take(','));
    json.Expect('}');
  }
  json.ExpectEnd();
  return tests;
}

}  // namespace

void FirstVersionRosters::Add(const Roster& roster) {
  Entry entry{roster.roster_id, roster.tests.size(), {}};
  ProgramTests tests = Parse(roster.tests);
  if (!tests.empty()) entry.tests.emplace("", std::move(tests));
  bytes_ += entry.bytes;
  entries_.push_back(std::move(entry));
  while (entries_.size() > kMaxRosters || (bytes_ > kMaxBytes && entries_.size() > 1)) {
    bytes_ -= entries_.front().bytes;
    entries_.pop_front();
  }
}

bool FirstVersionRosters::Give(Part& part, std::vector<RosterPtr>& rosters) const {
  const auto found = std::ranges::find(entries_, *part.roster_id, &Entry::roster_id);
  if (found == entries_.end()) return false;
  AddRosters(rosters, SetPartTests(part, found->tests));
  return true;
}

}  // namespace flaky
