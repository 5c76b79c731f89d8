// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_HISTORY_INDEX_H_
#define FLAKY_ANALYSIS_HISTORY_INDEX_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analysis/evidence.h"
#include "analysis/interning.h"

namespace flaky {

// A set of tests, one bit for each TestId.
class TestSet {
 public:
  void Add(TestId test) {
    if (test / 64 >= words_.size()) words_.resize(test / 64 + 1);
    words_[test / 64] |= uint64_t{1} << test % 64;
  }
  void Remove(TestId test) {
    if (test / 64 < words_.size()) words_[test / 64] &= ~(uint64_t{1} << test % 64);
  }
  bool Contains(TestId test) const { return test / 64 < words_.size() && (words_[test / 64] >> test % 64 & 1) != 0; }
  uint32_t Count() const;
  std::span<const uint64_t> words() const { return words_; }

 private:
  std::vector<uint64_t> words_;
};

// What is kept of a history until it is judged: about 56 bytes for a part, 24 for a test that failed in it, and each
// text, code version and roster once.
//
// Codes, parts and failures have numbers in order of arrival, which no result may depend on. Sort() puts them into an
// order that depends on the content only.
class HistoryIndex {
 public:
  struct Run {
    uint32_t id = 0;  // text
    uint32_t code = 0;
    uint32_t branch = 0;  // text
    bool operator==(const Run&) const = default;
  };
  struct Part {
    int64_t start = 0;  // micros
    uint64_t key = 0;   // hash of run and part id
    RunIndex run = 0;
    uint32_t part_id = 0;  // text
    RosterIndex roster = 0;
    uint32_t executed = 0;
    uint32_t failed = 0;  // tests
    uint16_t variant = 0;
    uint16_t host = 0;
    uint16_t repetitions = 1;
    bool shuffled = false;
    bool interrupted = false;
  };
  // The failed attempts of a test in a part. They have one cause if it passed at most once there.
  struct Failure {
    TestId test = 0;
    uint32_t part = 0;
    TestId preceding = kNoIndex;
    uint16_t failed = 0;
    uint16_t passed = 0;
    bool signal = false;
    bool killed = false;
    bool in_roster = false;
    uint32_t Causes() const { return passed >= 2 ? failed : 1; }
  };
  struct Difference {  // of a test's executions from the part's repetitions
    TestId test = 0;
    uint32_t part = 0;
    int32_t more = 0;
  };
  struct Code {
    uint32_t key = 0;         // text: tree, edited tree, commit or run id
    uint32_t commit = 0;      // text
    uint32_t merge_base = 0;  // text
    int64_t commit_time = INT64_MAX;
    bool dirty = false;
    // From Sort():
    int64_t time = INT64_MAX;    // commit time, else the first start
    uint32_t branch = kNoIndex;  // text; the default branch if it ran there, else the branch of its first run
    uint32_t first_group = 0;    // in groups
    uint32_t end_group = 0;
    uint32_t size = 0;  // the most tests that a part of it executed
  };
  // The parts of a code version that have one variant and roster.
  struct Group {
    uint32_t code = 0;
    uint16_t variant = 0;
    RosterIndex roster = kNoIndex;
    uint32_t executions = 0;
  };

  TestId AddTest(const TestIdentity& test);
  RosterIndex AddRoster(std::span<const TestId> tests);
  RunIndex AddRun(const RunEvidence& run);
  void AddPart(const PartEvidence& part);

  // Orders everything up to a time. `default_branch` may be empty: then it is main, master, trunk or develop, the first
  // of these that has a run, else the branch with most runs.
  void Sort(int64_t until, std::string_view default_branch);

  std::string_view Text(uint32_t number) const { return texts_[number]; }
  const Part& PartOf(const Failure& failure) const { return parts[failure.part]; }
  uint32_t CodeOf(const Part& part) const { return runs[part.run].code; }
  bool Executed(RosterIndex roster, TestId test) const {
    return roster == kNoIndex ? assumed.Contains(test) : rosters[roster].Contains(test);
  }

  std::vector<TestIdentity> tests;
  std::vector<TestSet> rosters;
  std::vector<Run> runs;
  std::vector<Part> parts;
  std::vector<Failure> failures;
  std::vector<Difference> differences;
  std::vector<Code> codes;

  // From Sort().
  uint32_t default_branch = kNoIndex;  // text
  std::vector<uint32_t> order;         // parts in order of time, those after `until` left out
  std::vector<uint32_t> rank;          // position of each part in `order`, kNoIndex if left out
  std::vector<Group> groups;           // by code
  std::vector<uint32_t> line;          // codes by branch, the default branch first, then by time; dirty codes are last
  std::vector<uint32_t> place;         // position of each code in `line`
  uint32_t default_codes = 0;          // codes of the default branch: the first ones in `line`
  std::unordered_map<uint32_t, uint32_t> code_of_commit;  // by the text's number; only merge bases
  std::vector<uint32_t> suite;                            // of each test
  TestSet assumed;  // tests that failed in parts without rosters: taken as executed in all of these

 private:
  // Returns the roster without the tests that the part skipped.
  RosterIndex RosterOf(const PartEvidence& part);
  uint32_t GuessDefaultBranch() const;
  void SortCodes();

  Interner texts_;
  Interner code_keys_;
  Interner variants_;  // numbers of variants and hosts fit into 16 bits
  Interner hosts_;
  std::unordered_map<uint64_t, std::vector<TestId>> tests_by_hash_;
  std::unordered_map<uint64_t, RosterIndex> without_skipped_;

 public:
  std::string_view VariantName(uint16_t number) const { return variants_[number]; }
  std::string_view HostName(uint16_t number) const { return hosts_[number]; }
  uint32_t variants() const { return variants_.size(); }
  uint32_t hosts() const { return hosts_.size(); }
};

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_HISTORY_INDEX_H_
