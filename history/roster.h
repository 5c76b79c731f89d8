// SPDX-License-Identifier: MIT
#ifndef FLAKY_HISTORY_ROSTER_H_
#define FLAKY_HISTORY_ROSTER_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "history/run.h"

// Rosters and the lists of names that they share. Both are content-addressed, so equal content has the same id in every
// store, and a copy needs no agreement about numbers.
//
// A list is a JSON array of names in their order:
//   ["Basket.Adds","Basket.Removes","Basket.Totals"]
// A roster is a JSON object: for each program, pairs of a list and its marks, one character for each name of the list.
//   {"basket_test":[["5c1f…","1s-"]]}
// Here Basket.Adds was executed, Basket.Removes was skipped, and Basket.Totals has no result.
//
// A test program knows all its tests, also those that a filter leaves out. So its lists stay the same if a run selects
// other tests, and only the marks change.
namespace flaky {

inline constexpr char kExecutedMark = '1';  // executed at least once
inline constexpr char kSkippedMark = 's';   // skipped, and never executed
inline constexpr char kNoResultMark = '-';

// The part of a roster that refers to one list.
struct RosterPiece {
  std::string program;  // the file name of the test program; empty: unknown
  std::string list_id;
  std::string marks;

  bool operator==(const RosterPiece&) const = default;
};

// Returns true for the stored form of a roster, and false for that of a list.
inline bool IsRosterText(std::string_view tests) { return tests.starts_with('{'); }

// Returns the id that belongs to a stored form of a list or roster: its XXH3-128 as 32 hexadecimal digits.
std::string ContentId(std::string_view tests);

// Makes a list. Precondition: the names are storable and each is greater than the one before it.
RosterPtr MakeTestList(std::span<const std::string> names);

// Cuts the names of a program's tests into lists of some hundred names. The cuts depend on the names next to them only,
// so a new test changes one list and not the others. Precondition: as for MakeTestList.
std::vector<std::span<const std::string>> CutIntoLists(std::span<const std::string> names);

// Makes a roster. Precondition: the pieces are in the order of their programs, and within a program in the order of
// their names; each has a mark that is not kNoResultMark.
RosterPtr MakeRoster(std::span<const RosterPiece> pieces);

// Parse the stored forms. Throw std::invalid_argument, with the offset, if the text is not one that the functions above
// make.
std::vector<std::string> ParseTestList(std::string_view tests);
std::vector<RosterPiece> ParseRoster(std::string_view tests);

// Returns the ids of the lists that a roster names, each once, in order. Throws as ParseRoster.
std::vector<std::string> ListsOf(std::string_view tests);

// Returns the roster of this id, or null.
const Roster* FindRoster(std::span<const RosterPtr> rosters, std::string_view roster_id);

// Adds rosters and lists to a record's, each once.
void AddRosters(std::vector<RosterPtr>& rosters, std::span<const RosterPtr> more);

// Removes the rosters that no part names and the lists that no remaining roster names. Precondition: the texts of the
// rosters are valid.
void KeepNamedRosters(RunRecord& record);

// Throws std::invalid_argument if the roster's text is not one that MakeRoster makes, or if `rosters` lacks a list that
// it names, or has one that does not fit. The ids are not compared with the texts.
void CheckRoster(const Roster& roster, std::span<const RosterPtr> rosters);

// A test of a roster that has a result.
struct RosterTest {
  std::string program;
  std::string name;
  bool executed = true;  // false: it was only skipped

  bool operator==(const RosterTest&) const = default;
};

// Returns the tests of a roster that have a result, in its order. The place of a test in it is what Part::executions
// and Part::durations refer to. `rosters` has its lists. Throws as CheckRoster.
std::vector<RosterTest> TestsOf(const Roster& roster, std::span<const RosterPtr> rosters);

}  // namespace flaky

#endif  // FLAKY_HISTORY_ROSTER_H_
