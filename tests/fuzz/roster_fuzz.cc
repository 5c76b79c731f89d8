// SPDX-License-Identifier: MIT
#include <stdexcept>

#include "history/roster.h"
#include "tests/fuzz/fuzz.h"

namespace flaky::fuzz {

// The stored form of a roster.
void CheckInput(std::string_view input) {
  RosterEntries entries;
  try {
    entries = ParseRoster(input);
  } catch (const std::invalid_argument&) {
    return;
  }
  const RosterPtr roster = MakeRoster(entries);
  Require(ParseRoster(roster->tests) == entries, "a roster is the same after writing and reading it");
  Require(roster->roster_id == RosterId(roster->tests), "the id belongs to the text");
  Require(MakeRoster(ParseRoster(roster->tests))->tests == roster->tests, "equal rosters have equal texts");
}

}  // namespace flaky::fuzz
