// SPDX-License-Identifier: MIT
#include "history/roster.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "history/digest.h"
#include "history/plain_json.h"
#include "history/text.h"

namespace flaky {
namespace {

// On average a list has as many suites. Small lists cost ids in each roster, and large ones cost names in each change.
constexpr uint64_t kSuitesPerList = 32;
constexpr size_t kMaxNamesPerList = 4096;
constexpr size_t kMaxListBytes = size_t{256} << 10;

std::string_view SuiteOf(std::string_view name) { return name.substr(0, name.find('.')); }

bool IsContentId(std::string_view id) {
  return id.size() == 32 && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool IsMark(char c) { return c == kExecutedMark || c == kSkippedMark || c == kNoResultMark; }

RosterPiece ParsePiece(PlainJson& json, std::string_view program) {
  RosterPiece piece;
  piece.program = program;
  json.Expect('[');
  piece.list_id = json.String();
  if (!IsContentId(piece.list_id)) json.Fail("invalid id of a list; expected 32 hexadecimal digits");
  json.Expect(',');
  piece.marks = json.String();
  json.Expect(']');
  if (!std::ranges::all_of(piece.marks, IsMark)) json.Fail("invalid marks; expected '1', 's' and '-'");
  if (piece.marks.find_first_not_of(kNoResultMark) == std::string::npos) json.Fail("a list without results");
  return piece;
}

template <typename Visitor>
void VisitPieces(const Roster& roster, std::span<const RosterPtr> rosters, const Visitor& visit) {
  std::unordered_map<std::string_view, const Roster*> by_id;
  for (const RosterPtr& list : rosters) by_id.emplace(list->roster_id, list.get());
  std::string last;  // the last name of the list before
  std::string program;
  for (const RosterPiece& piece : ParseRoster(roster.tests)) {
    const auto list = by_id.find(piece.list_id);
    if (list == by_id.end()) throw std::invalid_argument("the list " + piece.list_id + " of a roster is missing");
    std::vector<std::string> names = ParseTestList(list->second->tests);
    if (names.size() != piece.marks.size()) {
      throw std::invalid_argument("a roster has " + std::to_string(piece.marks.size()) + " marks for the " +
                                  std::to_string(names.size()) + " tests of list " + piece.list_id);
    }
    if (!last.empty() && program == piece.program && last >= names.front()) {
      throw std::invalid_argument("the lists of a program are out of order in a roster");
    }
    last = names.back();
    program = piece.program;
    visit(piece, std::move(names));
  }
}

}  // namespace

std::string ContentId(std::string_view tests) { return DigestOf(tests).ToString(); }

RosterPtr MakeTestList(std::span<const std::string> names) {
  std::string tests = JsonArray(names);
  std::string id = ContentId(tests);
  return std::make_shared<const Roster>(Roster{std::move(id), std::move(tests)});
}

std::vector<std::span<const std::string>> CutIntoLists(std::span<const std::string> names) {
  std::vector<std::span<const std::string>> lists;
  size_t begin = 0, bytes = 0;
  for (size_t at = 0; at < names.size(); ++at) {
    const std::string_view suite = SuiteOf(names[at]);
    const bool new_suite = at > begin && suite != SuiteOf(names[at - 1]);
    const bool is_cut = new_suite && DigestOf(suite).low % kSuitesPerList == 0;
    if (is_cut || at - begin == kMaxNamesPerList || (at > begin && bytes + names[at].size() > kMaxListBytes)) {
      lists.push_back(names.subspan(begin, at - begin));
      begin = at;
      bytes = 0;
    }
    bytes += names[at].size();
  }
  if (begin < names.size()) lists.push_back(names.subspan(begin));
  return lists;
}

RosterPtr MakeRoster(std::span<const RosterPiece> pieces) {
  std::string tests = "{";
  const RosterPiece* before = nullptr;
  for (const RosterPiece& piece : pieces) {
    if (before != nullptr && before->program == piece.program) {
      tests += ',';
    } else {
      if (before != nullptr) tests += "],";
      AppendJson(tests, piece.program);
      tests += ":[";
    }
    tests += "[\"" + piece.list_id + "\",\"" + piece.marks + "\"]";
    before = &piece;
  }
  tests += before == nullptr ? "}" : "]}";
  std::string id = ContentId(tests);
  return std::make_shared<const Roster>(Roster{std::move(id), std::move(tests)});
}

std::vector<std::string> ParseTestList(std::string_view tests) {
  PlainJson json(tests, "a list of tests");
  std::vector<std::string> names;
  json.Expect('[');
  do {
    std::string name = json.String();
    if (!names.empty() && names.back() >= name) json.Fail("a name that is not after the one before it");
    names.push_back(std::move(name));
  } while (json.Take(','));
  json.Expect(']');
  json.ExpectEnd();
  return names;
}

std::vector<RosterPiece> ParseRoster(std::string_view tests) {
  PlainJson json(tests, "a roster");
  std::vector<RosterPiece> pieces;
  json.Expect('{');
  if (!json.Take('}')) {
    do {
      const std::string program = json.String();
      if (!pieces.empty() && pieces.back().program >= program)
        json.Fail("a program that is not after the one before it");
      json.Expect(':');
      json.Expect('[');
      do {
        pieces.push_back(ParsePiece(json, program));
      } while (json.Take(','));
      json.Expect(']');
    } while (json.Take(','));
    json.Expect('}');
  }
  json.ExpectEnd();
  return pieces;
}

std::vector<std::string> ListsOf(std::string_view tests) {
  std::vector<std::string> ids;
  for (RosterPiece& piece : ParseRoster(tests)) ids.push_back(std::move(piece.list_id));
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

const Roster* FindRoster(std::span<const RosterPtr> rosters, std::string_view roster_id) {
  const auto found = std::ranges::find_if(rosters, [&](const RosterPtr& one) { return one->roster_id == roster_id; });
  return found == rosters.end() ? nullptr : found->get();
}

void AddRosters(std::vector<RosterPtr>& rosters, std::span<const RosterPtr> more) {
  for (const RosterPtr& roster : more) {
    if (FindRoster(rosters, roster->roster_id) == nullptr) rosters.push_back(roster);
  }
}

void KeepNamedRosters(RunRecord& record) {
  std::unordered_set<std::string> named;
  for (const Part& part : record.parts) {
    if (part.roster_id) named.insert(*part.roster_id);
  }
  for (const RosterPtr& roster : record.rosters) {
    if (!named.contains(roster->roster_id) || !IsRosterText(roster->tests)) continue;
    for (std::string& list : ListsOf(roster->tests)) named.insert(std::move(list));
  }
  std::erase_if(record.rosters, [&](const RosterPtr& roster) { return !named.contains(roster->roster_id); });
}

void CheckRoster(const Roster& roster, std::span<const RosterPtr> rosters) {
  VisitPieces(roster, rosters, [](const RosterPiece&, const std::vector<std::string>&) {});
}

std::vector<RosterTest> TestsOf(const Roster& roster, std::span<const RosterPtr> rosters) {
  std::vector<RosterTest> tests;
  VisitPieces(roster, rosters, [&](const RosterPiece& piece, std::vector<std::string> names) {
    for (size_t at = 0; at < names.size(); ++at) {
      if (piece.marks[at] == kNoResultMark) continue;
      tests.push_back({piece.program, std::move(names[at]), piece.marks[at] == kExecutedMark});
    }
  });
  return tests;
}

}  // namespace flaky
