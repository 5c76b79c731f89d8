#ifndef FLAKY_HISTORY_ROSTER_H_
#define FLAKY_HISTORY_ROSTER_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "history/run.h"

namespace flaky {

// How often a test was executed and how often it skipped itself, within one part.
struct RosterEntry {
  int64_t executed = 0;
  int64_t skipped = 0;

  bool operator==(const RosterEntry&) const = default;
};
using RosterEntries = std::map<std::string, RosterEntry, std::less<>>;

// What a test is called in a roster where several source files of the part have a test of its name, as different
// programs may: `Suite.Test (dir/file.cc)`. Elsewhere it is called by its name alone.
inline std::string RosterName(std::string_view test_name, std::string_view test_file) {
  return std::string(test_name).append(" (").append(test_file).append(")");
}

// The roster's stored form is one JSON object in order of the names, so a store's own JSON functions read it too:
//   {"Suite.A":1,"Suite.B":[2,1]}
// is "A was executed once; B was executed twice and skipped once more". Equal entries give equal text, hence an equal
// id.
RosterPtr MakeRoster(const RosterEntries& entries);

// The id that belongs to a stored form: 32 hexadecimal digits of its XXH3-128.
std::string RosterId(std::string_view tests);

// Reads the stored form. Throws std::invalid_argument, with the offset, when it is not one.
RosterEntries ParseRoster(std::string_view tests);

}  // namespace flaky

#endif  // FLAKY_HISTORY_ROSTER_H_
