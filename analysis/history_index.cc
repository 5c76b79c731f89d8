// SPDX-License-Identifier: MIT
#include "analysis/history_index.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <tuple>
#include <utility>

namespace flaky {
namespace {

uint16_t Narrow(uint32_t number) { return static_cast<uint16_t>(std::min<uint32_t>(number, UINT16_MAX)); }

// The suite of Suite.Test, with its program or file: tests of one suite are often broken together.
std::string SuiteOf(const TestIdentity& test) {
  return (test.program.empty() ? test.file : test.program) + '\n' + test.name.substr(0, test.name.find('.'));
}

}  // namespace

uint32_t TestSet::Count() const {
  uint32_t count = 0;
  for (const uint64_t word : words_) count += static_cast<uint32_t>(std::popcount(word));
  return count;
}

TestId HistoryIndex::AddTest(const TestIdentity& test) {
  const uint64_t hash = HashOf(test.name) ^ HashOf(test.program) * 3 ^ HashOf(test.file) * 5;
  std::vector<TestId>& same = tests_by_hash_[hash];
  for (const TestId id : same) {
    if (tests[id] == test) return id;
  }
  same.push_back(static_cast<TestId>(tests.size()));
  tests.push_back(test);
  return same.back();
}

RosterIndex HistoryIndex::AddRoster(std::span<const TestId> names) {
  TestSet set;
  for (const TestId test : names) set.Add(test);
  rosters.push_back(std::move(set));
  return static_cast<RosterIndex>(rosters.size() - 1);
}

RunIndex HistoryIndex::AddRun(const RunEvidence& run) {
  const CodeVersion& version = run.code;
  const std::string_view known = version.dirty          ? version.edited_tree
                                 : version.tree.empty() ? version.commit
                                                        : version.tree;
  const std::string_view key = known.empty() ? run.run_id : known;
  const char kind = known.empty() ? 'r' : version.dirty ? 'e' : version.tree.empty() ? 'c' : 't';
  const uint32_t number = code_keys_.Intern(std::string(1, kind).append(key));
  if (number == codes.size()) {
    codes.push_back({.key = texts_.Intern(key),
                     .commit = texts_.Intern(version.commit),
                     .merge_base = texts_.Intern(version.merge_base),
                     .dirty = version.dirty});
  }
  Code& code = codes[number];
  if (version.commit_time) code.commit_time = std::min(code.commit_time, version.commit_time->micros);
  // Equal trees may have several commits; the least text does not depend on the order of arrival.
  if (!version.commit.empty() && (Text(code.commit).empty() || version.commit < Text(code.commit))) {
    code.commit = texts_.Intern(version.commit);
    code.merge_base = texts_.Intern(version.merge_base);
  }
  runs.push_back({.id = texts_.Intern(run.run_id), .code = number, .branch = texts_.Intern(version.branch)});
  return static_cast<RunIndex>(runs.size() - 1);
}

RosterIndex HistoryIndex::RosterOf(const PartEvidence& part) {
  if (part.roster == kNoIndex) return kNoIndex;
  std::string skipped;
  for (const Executions& other : part.other_executions) {
    if (other.count == 0) skipped.append(std::to_string(other.test)).push_back(' ');
  }
  if (skipped.empty()) return part.roster;
  const uint64_t key = HashOf(skipped + std::to_string(part.roster));
  const auto [place_of, fresh] = without_skipped_.try_emplace(key, static_cast<RosterIndex>(rosters.size()));
  if (fresh) {
    TestSet set = rosters[part.roster];
    for (const Executions& other : part.other_executions) {
      if (other.count == 0) set.Remove(other.test);
    }
    rosters.push_back(std::move(set));
  }
  return place_of->second;
}

void HistoryIndex::AddPart(const PartEvidence& part) {
  const auto number = static_cast<uint32_t>(parts.size());
  const auto repetitions = static_cast<uint16_t>(std::clamp<uint32_t>(part.repetitions, 1, UINT16_MAX));
  const RosterIndex roster = RosterOf(part);
  const size_t first = failures.size();
  for (const FailedAttempt& attempt : part.failures) {
    failures.push_back({.test = attempt.test,
                        .part = number,
                        .preceding = attempt.preceding,
                        .failed = 1,
                        .signal = attempt.signal,
                        .killed = attempt.killed});
  }
  const auto begin = failures.begin() + static_cast<std::ptrdiff_t>(first);
  const auto less = [](const Failure& a, const Failure& b) {
    return std::tuple(a.test, a.preceding, a.signal, a.killed) < std::tuple(b.test, b.preceding, b.signal, b.killed);
  };
  std::sort(begin, failures.end(), less);
  auto end = begin;
  for (auto next = begin; next != failures.end(); ++next) {
    if (end != begin && std::prev(end)->test == next->test) {
      Failure& merged = *std::prev(end);
      if (merged.failed < UINT16_MAX) ++merged.failed;
      merged.signal = merged.signal || next->signal;
      merged.killed = merged.killed && next->killed;
    } else {
      *end++ = *next;
    }
  }
  failures.erase(end, failures.end());
  const auto failed = std::span(failures).subspan(first);
  for (Failure& failure : failed) {
    failure.in_roster = roster != kNoIndex && rosters[roster].Contains(failure.test);
    failure.passed = repetitions > failure.failed ? static_cast<uint16_t>(repetitions - failure.failed) : 0;
  }
  for (const Executions& other : part.other_executions) {
    const auto found = std::lower_bound(failed.begin(), failed.end(), other.test,
                                        [](const Failure& a, TestId test) { return a.test < test; });
    if (found != failed.end() && found->test == other.test) {
      found->passed = Narrow(other.count > found->failed ? other.count - found->failed : 0);
    } else if (other.count != 0 && other.count != repetitions) {
      differences.push_back(
          {other.test, number,
           static_cast<int32_t>(std::min<uint32_t>(other.count, INT32_MAX)) - static_cast<int32_t>(repetitions)});
    }
  }
  const uint32_t known = roster == kNoIndex ? 0 : rosters[roster].Count();
  const auto told = static_cast<uint32_t>(std::clamp<int64_t>(part.executed_tests, 0, UINT32_MAX));
  parts.push_back({.start = part.started_at.micros,
                   .key = HashOf(Text(runs[part.run].id)) ^ HashOf(part.part_id) * 3,
                   .run = part.run,
                   .part_id = texts_.Intern(part.part_id),
                   .roster = roster,
                   .executed = std::max({known, told, static_cast<uint32_t>(failed.size())}),
                   .failed = static_cast<uint32_t>(failed.size()),
                   .variant = Narrow(variants_.Intern(part.variant)),
                   .host = Narrow(hosts_.Intern(part.host)),
                   .repetitions = repetitions,
                   .shuffled = part.shuffled,
                   .interrupted = part.interrupted});
}

uint32_t HistoryIndex::GuessDefaultBranch() const {
  std::map<std::pair<std::string_view, uint32_t>, uint32_t> count;
  for (const uint32_t part : order) {
    const uint32_t branch = runs[parts[part].run].branch;
    ++count[{Text(branch), branch}];
  }
  for (const std::string_view name : {"main", "master", "trunk", "develop"}) {
    const auto found = count.lower_bound({name, 0});
    if (found != count.end() && found->first.first == name) return found->first.second;
  }
  uint32_t most = 0;
  uint32_t guess = kNoIndex;
  for (const auto& [branch, parts_of] : count) {
    if (parts_of > most) {
      most = parts_of;
      guess = branch.second;
    }
  }
  return guess;
}

void HistoryIndex::SortCodes() {
  for (Code& code : codes) {
    code.time = code.commit_time;
    code.branch = kNoIndex;
    code.first_group = code.end_group = code.size = 0;
  }
  groups.clear();
  for (const uint32_t number : order) {
    const Part& part = parts[number];
    Code& code = codes[CodeOf(part)];
    if (code.commit_time == INT64_MAX) code.time = std::min(code.time, part.start);
    const uint32_t branch = runs[part.run].branch;
    if (code.branch == kNoIndex || branch == default_branch) code.branch = branch;
    code.size = std::max(code.size, part.executed);
    groups.push_back({CodeOf(part), part.variant, part.roster, part.repetitions});
  }
  const auto which = [](const Group& group) { return std::tuple(group.code, group.variant, group.roster); };
  std::sort(groups.begin(), groups.end(), [&](const Group& a, const Group& b) { return which(a) < which(b); });
  size_t end = 0;
  for (const Group& group : groups) {
    if (end > 0 && which(groups[end - 1]) == which(group)) {
      groups[end - 1].executions += group.executions;
    } else {
      groups[end++] = group;
    }
  }
  groups.resize(end);
  for (uint32_t i = 0; i < groups.size(); ++i) {
    if (i == 0 || groups[i - 1].code != groups[i].code) codes[groups[i].code].first_group = i;
    codes[groups[i].code].end_group = i + 1;
  }
  line.clear();
  for (uint32_t i = 0; i < codes.size(); ++i) {
    if (codes[i].end_group > 0) line.push_back(i);
  }
  const auto key = [this](uint32_t number) {
    const Code& code = codes[number];
    const bool other = code.branch != default_branch;
    return std::tuple(code.dirty, other, other ? Text(code.branch) : std::string_view(), code.time, Text(code.key));
  };
  std::sort(line.begin(), line.end(), [&](uint32_t a, uint32_t b) { return key(a) < key(b); });
  place.assign(codes.size(), kNoIndex);
  for (uint32_t i = 0; i < line.size(); ++i) place[line[i]] = i;
  const auto is_default = [this](uint32_t code) { return !codes[code].dirty && codes[code].branch == default_branch; };
  default_codes = static_cast<uint32_t>(std::find_if_not(line.begin(), line.end(), is_default) - line.begin());
  code_of_commit.clear();
  const uint32_t none = texts_.Intern("");
  for (const uint32_t code : line) {
    if (codes[code].merge_base != none) code_of_commit.emplace(codes[code].merge_base, kNoIndex);
  }
  for (const uint32_t code : line) {
    const auto found = code_of_commit.find(codes[code].commit);
    if (found != code_of_commit.end() && !codes[code].dirty) found->second = code;
  }
  std::erase_if(code_of_commit, [](const auto& entry) { return entry.second == kNoIndex; });
}

void HistoryIndex::Sort(int64_t until, std::string_view default_name) {
  order.clear();
  for (uint32_t i = 0; i < parts.size(); ++i) {
    if (parts[i].start <= until) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [this](uint32_t a, uint32_t b) {
    return std::tuple(parts[a].start, parts[a].key) < std::tuple(parts[b].start, parts[b].key);
  });
  rank.assign(parts.size(), kNoIndex);
  for (uint32_t i = 0; i < order.size(); ++i) rank[order[i]] = i;
  default_branch = default_name.empty() ? GuessDefaultBranch() : texts_.Intern(default_name);
  SortCodes();

  Interner suites;
  suite.resize(tests.size());
  for (size_t i = 0; i < tests.size(); ++i) suite[i] = suites.Intern(SuiteOf(tests[i]));

  assumed = {};
  for (const Failure& failure : failures) {
    if (PartOf(failure).roster == kNoIndex && rank[failure.part] != kNoIndex) assumed.Add(failure.test);
  }
  std::vector<TestId> failed;
  for (const Failure& failure : failures) failed.push_back(failure.test);
  std::sort(failed.begin(), failed.end());
  failed.erase(std::unique(failed.begin(), failed.end()), failed.end());
  std::sort(failed.begin(), failed.end(), [this](TestId a, TestId b) { return tests[a] < tests[b]; });
  std::vector<uint32_t> test_rank(tests.size(), kNoIndex);
  for (uint32_t i = 0; i < failed.size(); ++i) test_rank[failed[i]] = i;

  // Failures of parts after `until` come last, so that the others are one block.
  std::sort(failures.begin(), failures.end(), [&](const Failure& a, const Failure& b) {
    const auto where = [&](const Failure& failure) {
      const uint32_t at = rank[failure.part];
      return std::tuple(at == kNoIndex, test_rank[failure.test],
                        at == kNoIndex ? 0 : place[CodeOf(parts[failure.part])], at);
    };
    return where(a) < where(b);
  });
}

}  // namespace flaky
