// SPDX-License-Identifier: MIT
#include <stdexcept>
#include <string>
#include <vector>

#include "history/part_tests.h"
#include "history/roster.h"
#include "tests/fuzz/fuzz.h"

namespace flaky::fuzz {
namespace {

void CheckList(std::string_view input) {
  std::vector<std::string> names;
  try {
    names = ParseTestList(input);
  } catch (const std::invalid_argument&) {
    return;
  }
  const RosterPtr list = MakeTestList(names);
  Require(list->tests == input, "a list has one form");
  Require(list->roster_id == ContentId(input), "the id belongs to the text");
  size_t count = 0;
  for (const auto& cut : CutIntoLists(names)) count += cut.size();
  Require(count == names.size(), "no name is lost when a list is cut");
}

void CheckRosterText(std::string_view input) {
  std::vector<RosterPiece> pieces;
  try {
    pieces = ParseRoster(input);
  } catch (const std::invalid_argument&) {
    return;
  }
  Require(MakeRoster(pieces)->tests == input, "a roster has one form");
  Require(ListsOf(input).size() <= pieces.size(), "each piece names one list");
}

void CheckTextsOfAPart(std::string_view input) {
  try {
    for (const auto& [place, counts] : ParseExecutions(input)) {
      Require(counts != TestCounts{1, 0}, "the usual count is not written");
    }
  } catch (const std::invalid_argument&) {
  }
  try {
    const auto durations = ParseDurations(input);
    const auto text = DurationsText(durations);
    Require(!text || ParseDurations(*text) == durations, "durations are the same after writing and reading them");
  } catch (const std::invalid_argument&) {
  }
}

}  // namespace

// The stored forms of rosters and lists, and the texts of a part that refer to them.
void CheckInput(std::string_view input) {
  CheckList(input);
  CheckRosterText(input);
  CheckTextsOfAPart(input);
}

}  // namespace flaky::fuzz
