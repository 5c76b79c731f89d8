// SPDX-License-Identifier: MIT
#include "history/part_tests.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "history/plain_json.h"
#include "history/roster.h"

namespace flaky {
namespace {

// The code points of durations.
constexpr char32_t kFirst = '!', kNotKnown = '~', kFirstOfTwoBytes = 0x100;
constexpr int64_t kOneByte = kNotKnown - kFirst;    // numbers below are one byte
constexpr int64_t kMaxDuration = int64_t{1} << 40;  // twelve days

constexpr int64_t kSteps = 6;  // in each doubling

// Returns the duration that belongs to a number, in microseconds.
int64_t DurationOf(int64_t number) {
  return number < kSteps ? number : (kSteps + number % kSteps) << (number / kSteps - 1);
}

// Returns the number whose duration is nearest.
int64_t NumberOf(int64_t duration_us) {
  const int64_t us = std::clamp<int64_t>(duration_us, 0, kMaxDuration);
  if (us < kSteps) return us;
  const int64_t doublings = std::bit_width(static_cast<uint64_t>(us / kSteps)) - 1;
  const int64_t below = kSteps * doublings + (us >> doublings);
  return DurationOf(below + 1) - us < us - DurationOf(below) ? below + 1 : below;
}

void AppendDuration(std::string& text, const std::optional<int64_t>& duration_us) {
  if (!duration_us) {
    text += static_cast<char>(kNotKnown);
    return;
  }
  const int64_t number = NumberOf(*duration_us);
  if (number < kOneByte) {
    text += static_cast<char>(kFirst + number);
    return;
  }
  const auto code = static_cast<unsigned>(kFirstOfTwoBytes + number - kOneByte);
  text += static_cast<char>(0xC0 | code >> 6);
  text += static_cast<char>(0x80 | (code & 0x3F));
}

bool IsUsual(const TestCounts& counts) { return counts == TestCounts{1, 0} || counts == TestCounts{0, 1}; }

std::vector<std::string> Names(const ProgramTests& tests, const std::vector<std::string>* registered) {
  std::vector<std::string> executed;
  executed.reserve(tests.size());
  for (const auto& [name, test] : tests) executed.push_back(name);
  if (registered == nullptr) return executed;
  std::vector<std::string> names;
  std::ranges::set_union(executed, *registered, std::back_inserter(names));
  return names;
}

char MarkOf(const ProgramTests& tests, const std::string& name) {
  const auto test = tests.find(name);
  if (test == tests.end()) return kNoResultMark;
  return test->second.counts.executed > 0 ? kExecutedMark : kSkippedMark;
}

}  // namespace

std::vector<RosterPtr> SetPartTests(Part& part, const PartTests& tests, const RegisteredTests& registered) {
  std::vector<RosterPiece> pieces;
  std::vector<RosterPtr> rosters(1);  // the roster, which is known last, then its lists
  std::string executions;
  std::vector<std::optional<int64_t>> durations;
  for (const auto& [program, its_tests] : tests) {
    const auto all = registered.find(program);
    const std::vector<std::string> names = Names(its_tests, all == registered.end() ? nullptr : &all->second);
    for (const std::span<const std::string> list : CutIntoLists(names)) {
      RosterPiece piece{program, {}, {}};
      for (const std::string& name : list) piece.marks += MarkOf(its_tests, name);
      if (piece.marks.find_first_not_of(kNoResultMark) == std::string::npos) continue;
      RosterPtr names_list = MakeTestList(list);
      piece.list_id = names_list->roster_id;
      if (FindRoster(std::span(rosters).subspan(1), piece.list_id) == nullptr) rosters.push_back(std::move(names_list));
      pieces.push_back(std::move(piece));
    }
    for (const auto& [name, test] : its_tests) {
      if (!IsUsual(test.counts)) {
        executions += (executions.empty() ? "{\"" : ",\"") + std::to_string(durations.size()) + "\":[" +
                      std::to_string(test.counts.executed) + "," + std::to_string(test.counts.skipped) + "]";
      }
      durations.push_back(test.duration_us);
    }
  }
  rosters.front() = MakeRoster(pieces);
  part.roster_id = rosters.front()->roster_id;
  part.executions = executions.empty() ? std::nullopt : std::optional(executions + "}");
  part.durations = DurationsText(durations);
  return rosters;
}

PartTests TestsOf(const Part& part, std::span<const RosterPtr> rosters) {
  if (!part.roster_id) return {};
  const Roster* const roster = FindRoster(rosters, *part.roster_id);
  if (roster == nullptr) throw std::invalid_argument("the roster " + *part.roster_id + " is missing");
  const std::vector<RosterTest> names = TestsOf(*roster, rosters);
  const auto counts = part.executions ? ParseExecutions(*part.executions) : std::map<size_t, TestCounts>();
  const auto durations = part.durations ? ParseDurations(*part.durations) : std::vector<std::optional<int64_t>>();
  if (!counts.empty() && counts.rbegin()->first >= names.size()) {
    throw std::invalid_argument("the executions of a part name a test that its roster does not have");
  }
  if (part.durations && durations.size() != names.size()) {
    throw std::invalid_argument("a part has " + std::to_string(durations.size()) + " durations for " +
                                std::to_string(names.size()) + " tests");
  }
  PartTests tests;
  for (size_t at = 0; at < names.size(); ++at) {
    PartTest& test = tests[names[at].program][names[at].name];
    const auto found = counts.find(at);
    test.counts = found != counts.end() ? found->second : names[at].executed ? TestCounts{1, 0} : TestCounts{0, 1};
    if (part.durations) test.duration_us = durations[at];
  }
  return tests;
}

std::map<size_t, TestCounts> ParseExecutions(std::string_view text) {
  PlainJson json(text, "a list of executions");
  std::map<size_t, TestCounts> all;
  json.Expect('{');
  do {
    json.Expect('"');
    const auto place = static_cast<size_t>(json.Number());
    if (!all.empty() && all.rbegin()->first >= place) json.Fail("a test that is not after the one before it");
    json.Expect('"');
    json.Expect(':');
    json.Expect('[');
    TestCounts counts;
    counts.executed = json.Number();
    json.Expect(',');
    counts.skipped = json.Number();
    json.Expect(']');
    if (IsUsual(counts) || counts == TestCounts()) json.Fail("a test with the usual counts");
    all.emplace_hint(all.end(), place, counts);
  } while (json.Take(','));
  json.Expect('}');
  json.ExpectEnd();
  return all;
}

std::vector<std::optional<int64_t>> ParseDurations(std::string_view text) {
  std::vector<std::optional<int64_t>> durations;
  for (size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const auto fail = [&] {
      throw std::invalid_argument("not a list of durations: invalid character at byte " + std::to_string(at));
    };
    if (byte == kNotKnown) {
      durations.emplace_back();
    } else if (byte >= kFirst && byte < kNotKnown) {
      durations.emplace_back(DurationOf(byte - int64_t{kFirst}));
    } else if (byte >= 0xC4 && byte <= 0xC7 && at + 1 < text.size() && (text[at + 1] & 0xC0) == 0x80) {
      const int64_t code = (byte & 0x1F) << 6 | (text[++at] & 0x3F);
      const int64_t number = code - int64_t{kFirstOfTwoBytes} + kOneByte;
      if (number > NumberOf(kMaxDuration)) fail();
      durations.emplace_back(DurationOf(number));
    } else {
      fail();
    }
  }
  return durations;
}

std::optional<std::string> DurationsText(const std::vector<std::optional<int64_t>>& durations_us) {
  const auto is_known = [](const std::optional<int64_t>& duration) { return duration.has_value(); };
  if (std::ranges::none_of(durations_us, is_known)) return std::nullopt;
  std::string text;
  text.reserve(durations_us.size());
  for (const std::optional<int64_t>& duration : durations_us) AppendDuration(text, duration);
  return text;
}

}  // namespace flaky
