// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_ANALYSIS_JUDGED_HISTORY_H_
#define FLAKY_TESTS_ANALYSIS_JUDGED_HISTORY_H_

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "analysis/judge.h"

namespace flaky {

// One part of a run, in words. All tests of the history are executed; those that are named fail.
struct PartWords {
  std::string run = {};
  std::string tree = {};
  std::string branch = "main";
  std::string variant = "release";
  std::vector<std::string> failed = {};   // a name several times: several attempts
  std::vector<std::string> retried = {};  // failed tests that passed in a later attempt
  double day = 0;                         // since the beginning
  bool dirty = false;
  bool shuffled = false;
  bool has_roster = true;
  std::string preceding = {};
  std::string commit = {};
  std::string merge_base = {};
};

inline constexpr Timestamp kBeginning{1'772'409'600'000'000};  // 2026-03-02

inline Timestamp Day(double day) { return kBeginning + static_cast<int64_t>(day * static_cast<double>(kMicrosPerDay)); }

// A history of tests named Suite<i / 8>.T<i>, which a judge is given in any order.
class JudgedHistory {
 public:
  explicit JudgedHistory(int tests) {
    for (int i = 0; i < tests; ++i) names_.push_back(Name(i));
  }
  static std::string Name(int i) { return "Suite" + std::to_string(i / 8) + ".T" + std::to_string(i); }

  void Add(PartWords part) {
    if (part.run.empty()) part.run = "run" + std::to_string(parts_.size());
    parts_.push_back(std::move(part));
  }

  // Tells a judge everything, in an order that `seed` shuffles; 0 keeps it.
  Judge MakeJudge(unsigned seed = 0, const Model& model = {}) const {
    Judge judge(model);
    std::vector<std::string> names = names_;
    std::vector<PartWords> parts = parts_;
    if (seed != 0) {
      std::mt19937 random(seed);
      std::shuffle(names.begin(), names.end(), random);
      std::shuffle(parts.begin(), parts.end(), random);
    }
    const auto id = [&](const std::string& name) {
      return judge.AddTest({.program = "all_tests", .file = "", .name = name});
    };
    std::vector<TestId> all;
    for (const std::string& name : names) all.push_back(id(name));
    const RosterIndex roster = judge.AddRoster(all);
    std::map<std::string, RunIndex> runs;
    int number = 0;
    for (const PartWords& words : parts) {
      if (!runs.contains(words.run)) {
        RunEvidence run{.run_id = words.run, .code = {}};
        run.code.tree = words.tree;
        run.code.commit = words.commit;
        run.code.dirty = words.dirty;
        run.code.branch = words.branch;
        run.code.merge_base = words.merge_base;
        runs[words.run] = judge.AddRun(run);
      }
      std::vector<FailedAttempt> failed;
      std::map<TestId, uint32_t> attempts;
      for (const std::string& name : words.failed) {
        failed.push_back({.test = id(name), .preceding = words.preceding.empty() ? kNoIndex : id(words.preceding)});
        ++attempts[id(name)];
      }
      for (const std::string& name : words.retried) ++attempts[id(name)];
      std::vector<Executions> others;
      for (const auto& [test, count] : attempts) others.push_back({test, count});
      PartEvidence part;
      const std::string part_id = words.run + words.variant + std::to_string(seed == 0 ? number++ : 0);
      part.run = runs[words.run];
      part.part_id = part_id;
      part.started_at = Day(words.day);
      part.variant = words.variant;
      part.shuffled = words.shuffled;
      if (words.has_roster) part.roster = roster;
      part.executed_tests = static_cast<int64_t>(names_.size());
      part.other_executions = others;
      part.failures = failed;
      judge.AddPart(part);
    }
    return judge;
  }

  // Judges an hour after the last part.
  Judgement Decide(unsigned seed = 0) const {
    double last = 0;
    for (const PartWords& part : parts_) last = std::max(last, part.day);
    return MakeJudge(seed).Decide({.at = Day(last + 1.0 / 24), .default_branch = ""});
  }

 private:
  std::vector<std::string> names_;
  std::vector<PartWords> parts_;
};

// Returns what was judged of a test; a healthy verdict if it never failed.
inline TestVerdict Of(const Judgement& judgement, const std::string& name) {
  for (const TestVerdict& verdict : judgement.tests) {
    if (verdict.identity.name == name) return verdict;
  }
  TestVerdict healthy;
  healthy.identity.name = name;
  return healthy;
}

inline int64_t CountOf(const TestVerdict& verdict, ReasonCode code) {
  for (const Reason& reason : verdict.reasons) {
    if (reason.code == code) return reason.count;
  }
  return 0;
}

}  // namespace flaky

#endif  // FLAKY_TESTS_ANALYSIS_JUDGED_HISTORY_H_
