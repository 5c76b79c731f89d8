#include "analysis/within_run.h"

#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "history/roster.h"

namespace flaky {
namespace {

std::map<std::string, RosterEntries> ReadRosters(const RunRecord& record) {
  std::map<std::string, RosterEntries> rosters;
  for (const RosterPtr& roster : record.rosters) {
    try {
      rosters.emplace(roster->roster_id, ParseRoster(roster->tests));
    } catch (const std::invalid_argument&) {  // a damaged roster proves no pass
    }
  }
  return rosters;
}

int64_t Executed(const RosterEntries& roster, const std::string& file, const std::string& name) {
  auto found = roster.find(RosterName(name, file));
  if (found == roster.end()) found = roster.find(name);
  return found == roster.end() ? 0 : found->second.executed;
}

}  // namespace

std::vector<FlakyWithinRun> FindFlakyWithin(const RunRecord& record) {
  using Test = std::pair<std::string, std::string>;                               // file and name
  using Attempt = std::pair<std::optional<std::string>, std::optional<int64_t>>;  // part and number
  std::map<Test, std::set<Attempt>> failed;
  for (const Failure& failure : record.failures) {
    failed[{failure.test_file, failure.test_name}].insert({failure.part_id, failure.attempt});
  }
  const std::map<std::string, RosterEntries> rosters = ReadRosters(record);

  std::vector<FlakyWithinRun> flaky;
  for (const auto& [test, attempts] : failed) {
    std::map<std::optional<std::string>, FlakyWithinRun> by_variant;
    for (const Part& part : record.parts) {
      const auto roster = part.roster_id ? rosters.find(*part.roster_id) : rosters.end();
      const int64_t executed = roster == rosters.end() ? 0 : Executed(roster->second, test.first, test.second);
      int64_t failures = 0;
      for (const Attempt& attempt : attempts) failures += attempt.first == part.part_id ? 1 : 0;
      FlakyWithinRun& sum = by_variant[part.variant];
      sum.failed += failures;
      sum.passed += executed > failures ? executed - failures : 0;
    }
    FlakyWithinRun found{test.first, test.second, 0, 0};
    for (const auto& [variant, sum] : by_variant) {
      if (sum.failed == 0 || sum.passed == 0) continue;
      found.failed += sum.failed;
      found.passed += sum.passed;
    }
    if (found.passed > 0) flaky.push_back(std::move(found));
  }
  return flaky;
}

}  // namespace flaky
