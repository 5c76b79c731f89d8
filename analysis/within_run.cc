// SPDX-License-Identifier: MIT
#include "analysis/within_run.h"

#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "history/part_tests.h"

namespace flaky {
namespace {

// Returns how often the part executed the test. A damaged roster proves no pass.
int64_t Executed(const PartTests& tests, const std::string& program, const std::string& name) {
  const auto its_tests = tests.find(program);
  if (its_tests == tests.end()) return 0;
  const auto test = its_tests->second.find(name);
  return test == its_tests->second.end() ? 0 : test->second.counts.executed;
}

PartTests ReadTests(const Part& part, const RunRecord& record) {
  try {
    return TestsOf(part, record.rosters);
  } catch (const std::invalid_argument&) {
    return {};
  }
}

}  // namespace

std::vector<FlakyWithinRun> FindFlakyWithin(const RunRecord& record) {
  using Test = std::tuple<std::string, std::string, std::string>;                 // program, file and name
  using Attempt = std::pair<std::optional<std::string>, std::optional<int64_t>>;  // part and number
  std::map<Test, std::set<Attempt>> failed;
  for (const Failure& failure : record.failures) {
    failed[{failure.program.value_or(""), failure.test_file, failure.test_name}].insert(
        {failure.part_id, failure.attempt});
  }
  if (failed.empty()) return {};
  std::map<std::string_view, PartTests> tests_of;
  for (const Part& part : record.parts) tests_of.emplace(part.part_id, ReadTests(part, record));

  std::vector<FlakyWithinRun> flaky;
  for (const auto& [test, attempts] : failed) {
    const auto& [program, file, name] = test;
    // Each rank of an MPI program may have another result, which says nothing about the other ranks.
    std::map<std::pair<std::optional<std::string>, std::optional<int64_t>>, FlakyWithinRun> by_variant;
    for (const Part& part : record.parts) {
      const int64_t executed = Executed(tests_of.at(part.part_id), program, name);
      int64_t failures = 0;
      for (const Attempt& attempt : attempts) failures += attempt.first == part.part_id ? 1 : 0;
      FlakyWithinRun& sum = by_variant[{part.variant, part.rank}];
      sum.failed += failures;
      sum.passed += executed > failures ? executed - failures : 0;
    }
    FlakyWithinRun found{program, file, name, 0, 0};
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
