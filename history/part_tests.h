// SPDX-License-Identifier: MIT
#ifndef FLAKY_HISTORY_PART_TESTS_H_
#define FLAKY_HISTORY_PART_TESTS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "history/run.h"

// What a part knows about each of its tests. The names are in the roster, which many parts share. Each part has two
// more texts, which refer to the tests by their place in the roster: 0 is the first test that has a result.
//
// Part::executions is a JSON object of the tests that were not executed exactly once, or were skipped in addition; and
// of the tests that were skipped more than once. It is absent without such tests.
//   {"3":[2,0],"17":[0,2]}
// Here test 3 was executed twice, and test 17 was skipped twice.
//
// Part::durations has one character for each test, with its duration accurate to 10 %. For the character's code point
// c, n is c - 33 if c < 126, or else c - 163. The duration is n microseconds if n < 6, or else (6 + n % 6) << (n/6 - 1)
// microseconds. The character '~' (126) means that the duration is not known. One byte is enough up to 0.13 s, and two
// are enough above.
namespace flaky {

// How often a test was executed and skipped within one part.
struct TestCounts {
  int64_t executed = 0;
  int64_t skipped = 0;

  bool operator==(const TestCounts&) const = default;
};

struct PartTest {
  TestCounts counts;
  std::optional<int64_t> duration_us;  // of one execution; the mean if there were several

  bool operator==(const PartTest&) const = default;
};

// By the names of the programs and of their tests.
using ProgramTests = std::map<std::string, PartTest, std::less<>>;
using PartTests = std::map<std::string, ProgramTests, std::less<>>;

// All tests of a program, by its name. The names are in order, without duplicates.
using RegisteredTests = std::map<std::string, std::vector<std::string>, std::less<>>;

// Makes the roster of the tests and sets the part's roster_id, executions and durations. Returns the roster, followed
// by the lists that it names. `registered` may lack programs and tests. Precondition: all names are storable; each test
// was executed or skipped.
std::vector<RosterPtr> SetPartTests(Part& part, const PartTests& tests, const RegisteredTests& registered = {});

// Returns the part's tests; nothing for a part without a roster. `rosters` has the part's roster and its lists. Throws
// std::invalid_argument if one of them is missing or if one of the texts is damaged.
PartTests TestsOf(const Part& part, std::span<const RosterPtr> rosters);

// Parses Part::executions, by the places of the tests. Throws std::invalid_argument if the text is not one that
// SetPartTests makes.
std::map<size_t, TestCounts> ParseExecutions(std::string_view text);

// Parses Part::durations into microseconds, one value for each test. Throws the same.
std::vector<std::optional<int64_t>> ParseDurations(std::string_view text);

// Returns the text of Part::durations; absent if no duration is known.
std::optional<std::string> DurationsText(const std::vector<std::optional<int64_t>>& durations_us);

}  // namespace flaky

#endif  // FLAKY_HISTORY_PART_TESTS_H_
