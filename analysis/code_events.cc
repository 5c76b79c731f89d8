// SPDX-License-Identifier: MIT
#include "analysis/code_events.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace flaky {

VariantMask ExecutedBetween(const HistoryIndex& index, TestId test, uint32_t begin, uint32_t end, VariantMask wanted,
                            uint32_t* codes) {
  constexpr uint32_t kMostCodes = 256;
  VariantMask mask = 0;
  begin = std::max(begin, end > kMostCodes ? end - kMostCodes : 0);
  for (uint32_t position = end; position-- > begin && (mask & wanted) != wanted;) {
    const HistoryIndex::Code& code = index.codes[index.line[position]];
    bool executed = false;
    for (uint32_t i = code.first_group; i < code.end_group; ++i) {
      if (!index.Executed(index.groups[i].roster, test)) continue;
      mask |= MaskOf(index.groups[i].variant);
      executed = true;
    }
    if (executed && codes != nullptr) ++*codes;
  }
  return mask;
}

CodeEvents::CodeEvents(const HistoryIndex& index) {
  const auto& failures = index.failures;
  const auto branch_of = [&](uint32_t code) { return std::tuple(index.codes[code].dirty, index.codes[code].branch); };
  for (uint32_t next = 0; next < failures.size() && index.rank[failures[next].part] != kNoIndex;) {
    TestEvents test{.test = failures[next].test, .first_event = static_cast<uint32_t>(events.size())};
    VariantMask wanted = 0;
    while (next < failures.size() && failures[next].test == test.test && index.rank[failures[next].part] != kNoIndex) {
      CodeEvent event{.code = index.CodeOf(index.PartOf(failures[next])), .first_failure = next};
      for (; next < failures.size() && failures[next].test == test.test &&
             index.rank[failures[next].part] != kNoIndex && index.CodeOf(index.PartOf(failures[next])) == event.code;
           ++next) {
        wanted |= MaskOf(index.PartOf(failures[next]).variant);
        ++event.failures;
      }
      CountOnCode(index, test.test, event);
      events.push_back(event);
    }
    test.events = static_cast<uint32_t>(events.size()) - test.first_event;
    // The gaps between the events of each branch, and after the last one of the default branch.
    uint32_t after = 0;
    for (uint32_t i = test.first_event; i < events.size(); ++i) {
      CodeEvent& event = events[i];
      const uint32_t position = index.place[event.code];
      uint32_t begin = position;
      if (i > test.first_event && branch_of(events[i - 1].code) == branch_of(event.code) &&
          !index.codes[event.code].dirty) {
        event.first_of_branch = false;
        begin = index.place[events[i - 1].code] + 1;
      } else if (!index.codes[event.code].dirty) {
        while (begin > 0 && branch_of(index.line[begin - 1]) == branch_of(event.code) && position - begin < 256)
          --begin;
      }
      event.gap = ExecutedBetween(index, test.test, begin, position, wanted);
      if (!index.codes[event.code].dirty && index.codes[event.code].branch == index.default_branch)
        after = position + 1;
    }
    test.passed_after = ExecutedBetween(index, test.test, after, index.default_codes, wanted, &test.codes_after);
    FindBases(index, test, wanted);
    tests.push_back(test);
  }
  NumberSuites(index);
}

void CodeEvents::FindBases(const HistoryIndex& index, const TestEvents& test, VariantMask wanted) {
  const std::span own = Of(test);
  const auto on_default = [&](uint32_t code) {
    return !index.codes[code].dirty && index.codes[code].branch == index.default_branch;
  };
  uint32_t defaults = 0;  // events on the default branch; they come first
  while (defaults < own.size() && on_default(own[defaults].code)) ++defaults;
  if (defaults == 0) return;
  for (CodeEvent& event : own.subspan(defaults)) {
    uint32_t end = 0;  // after the position of the code from which this one began
    const auto base = index.code_of_commit.find(index.codes[event.code].merge_base);
    if (base != index.code_of_commit.end() && on_default(base->second)) {
      end = index.place[base->second] + 1;
      event.base_known = true;
    } else {
      const auto later =
          std::upper_bound(index.line.begin(), index.line.begin() + index.default_codes, index.codes[event.code].time,
                           [&](int64_t time, uint32_t code) { return time < index.codes[code].time; });
      end = static_cast<uint32_t>(later - index.line.begin());
    }
    uint32_t last = defaults;
    while (last > 0 && index.place[own[last - 1].code] >= end) --last;
    if (last == 0) continue;
    event.base_event = last - 1;
    event.base_passed = ExecutedBetween(index, test.test, index.place[own[last - 1].code] + 1, end, wanted);
  }
}

void CodeEvents::CountOnCode(const HistoryIndex& index, TestId test, CodeEvent& event) const {
  const HistoryIndex::Code& code = index.codes[event.code];
  const std::span failures(&index.failures[event.first_failure], event.failures);
  for (uint32_t i = code.first_group; i < code.end_group;) {
    const uint16_t variant = index.groups[i].variant;
    int64_t executed = 0;
    for (; i < code.end_group && index.groups[i].variant == variant; ++i) {
      if (index.Executed(index.groups[i].roster, test)) executed += index.groups[i].executions;
    }
    int64_t passed = executed;
    for (const HistoryIndex::Failure& failure : failures) {
      const HistoryIndex::Part& part = index.PartOf(failure);
      if (part.variant != variant) continue;
      const bool counted = part.roster == kNoIndex || failure.in_roster;
      passed += failure.passed - (counted ? part.repetitions : 0);
      executed += failure.passed + failure.failed - (counted ? part.repetitions : 0);
    }
    event.executions += static_cast<uint32_t>(std::max<int64_t>(executed, 0));
    if (passed <= 0) continue;
    event.passes += static_cast<uint32_t>(passed);
    event.passed |= MaskOf(variant);
  }
}

void CodeEvents::NumberSuites(const HistoryIndex& index) {
  std::vector<uint64_t> keys;
  keys.reserve(events.size());
  for (const TestEvents& test : tests) {
    for (const CodeEvent& event : Of(test)) keys.push_back(uint64_t{event.code} << 32 | index.suite[test.test]);
  }
  std::vector<uint64_t> distinct = keys;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  for (size_t i = 0; i < events.size(); ++i) {
    const auto found = std::lower_bound(distinct.begin(), distinct.end(), keys[i]);
    events[i].suite_group = static_cast<uint32_t>(found - distinct.begin());
  }
  suite_groups = static_cast<uint32_t>(distinct.size());
}

}  // namespace flaky
