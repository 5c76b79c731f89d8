// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_SUPPORT_PART_COUNTS_H_
#define FLAKY_TESTS_SUPPORT_PART_COUNTS_H_

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "history/part_tests.h"
#include "history/roster.h"
#include "history/run.h"

namespace flaky {

// How often each test was executed and skipped, by its name.
using Counts = std::map<std::string, TestCounts>;

// Sets the part's tests, all of one program, without durations. Returns its roster, followed by the lists.
inline std::vector<RosterPtr> GiveTests(Part& part, const Counts& tests, const std::string& program = "suite_test") {
  PartTests programs;
  for (const auto& [name, counts] : tests) programs[program][name] = {counts, std::nullopt};
  return SetPartTests(part, programs);
}

// Sets the tests of the first part of a record, instead of its roster.
inline void GiveTests(RunRecord& record, const Counts& tests) { record.rosters = GiveTests(record.parts.at(0), tests); }

// Returns the part's tests, added up over its programs.
inline Counts CountsOf(const Part& part, std::span<const RosterPtr> rosters) {
  Counts counts;
  for (const auto& [program, tests] : TestsOf(part, rosters)) {
    for (const auto& [name, test] : tests) {
      counts[name].executed += test.counts.executed;
      counts[name].skipped += test.counts.skipped;
    }
  }
  return counts;
}

// Returns the tests of the record's only part.
inline Counts CountsOf(const RunRecord& record) { return CountsOf(record.parts.at(0), record.rosters); }

}  // namespace flaky

#endif  // FLAKY_TESTS_SUPPORT_PART_COUNTS_H_
