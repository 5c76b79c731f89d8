// SPDX-License-Identifier: MIT
#ifndef FLAKY_HISTORY_ROSTER_H_
#define FLAKY_HISTORY_ROSTER_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "history/run.h"

namespace flaky {

// How often a test was executed and how often it was skipped, within one part.
struct RosterEntry {
  int64_t executed = 0;
  int64_t skipped = 0;

  bool operator==(const RosterEntry&) const = default;
};
using RosterEntries = std::map<std::string, RosterEntry, std::less<>>;

// Returns a test's name in a roster if several source files of the part define a test of that name, which is possible
// in different programs: `Suite.Test (dir/file.cc)`. Otherwise the roster uses the test's name alone.
inline std::string RosterName(std::string_view test_name, std::string_view test_file) {
  return std::string(test_name).append(" (").append(test_file).append(")");
}

// Makes a roster. Its stored form is one JSON object in order of the names, so a store's JSON functions can read it,
// too:
//   {"Suite.A":1,"Suite.B":[2,1]}
// means "A was executed once; B was executed twice and skipped once". Equal entries have equal text, and so equal ids.
RosterPtr MakeRoster(const RosterEntries& entries);

// Returns the id that belongs to a stored form: its XXH3-128 as 32 hexadecimal digits.
std::string RosterId(std::string_view tests);

// Parses the stored form. Throws std::invalid_argument, with the offset, if the text is invalid.
RosterEntries ParseRoster(std::string_view tests);

// Throws the same unless the text is one that MakeRoster writes: each name once, in order. Needs little memory.
void CheckRoster(std::string_view tests);

}  // namespace flaky

#endif  // FLAKY_HISTORY_ROSTER_H_
