// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_RECORD_EVIDENCE_H_
#define FLAKY_ANALYSIS_RECORD_EVIDENCE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analysis/evidence.h"
#include "analysis/judge.h"
#include "history/run.h"

namespace flaky {

// A failure of a record and the test that failed.
struct FailureOfTest {
  const Failure* failure = nullptr;
  TestId test = 0;
};

// One part and the evidence that the judge has of it. Everything lives until the call that passes it returns.
struct PartReading {
  const RunRecord& record;
  const Part* part = nullptr;  // null: another tool wrote the run, which has no parts
  const PartEvidence& evidence;
  std::span<const FailureOfTest> failures;  // those of tests
  const Judge& judge;

  // Returns how often the part executed a test, retries included.
  int64_t ExecutionsOf(TestId test) const;
};

// What was read, and what of it no verdict about a test can use.
struct EvidenceCounts {
  int64_t runs = 0;
  int64_t without_tests = 0;   // of the runs: no test was executed, and none failed
  int64_t without_roster = 0;  // of the runs: a part does not say which tests passed
  int64_t interrupted = 0;     // of the runs: something ended early
  int64_t outside_tests = 0;   // failures of programs and commands between their tests
};

// Tells a judge what records show. This is the only place that knows which field of a record says what; it remembers
// each roster, because runs share them.
class EvidenceReader {
 public:
  using Observer = std::function<void(const PartReading&)>;

  // `observer` is called for each part after the judge has its evidence. `judge` must outlive the object.
  explicit EvidenceReader(Judge& judge, Observer observer = {}) : judge_(judge), observer_(std::move(observer)) {}

  // Adds a complete record. The texts of its failures are not needed.
  void Add(const RunRecord& record);

  const EvidenceCounts& counts() const { return counts_; }

  // Returns the file that defines the test, as of the last failure that was added; empty if it never failed.
  std::string_view FileOf(TestId test) const;

 private:
  // The tests of a roster, in its order, which Part::executions refers to.
  struct RosterReading {
    RosterIndex id = kNoIndex;  // kNoIndex: it is damaged
    std::vector<TestId> tests;
    size_t executed = 0;  // of the tests; the others were only skipped
  };
  struct Attempt {
    FailedAttempt failed;
    int64_t number = 0;
  };

  const RosterReading* ReadRoster(const RunRecord& record, const Part& part);
  void AddPart(const RunRecord& record, RunIndex run, const Part* part, const RosterReading* roster,
               std::span<const Failure* const> failures);
  // Sets `repetitions_` and `others_`. Returns false if the part's executions are damaged.
  bool CountExecutions(const Part& part, const RosterReading& roster);
  void CollectFailures(std::span<const Failure* const> failures);

  Judge& judge_;
  Observer observer_;
  EvidenceCounts counts_;
  std::unordered_map<std::string, RosterReading> rosters_;
  std::vector<std::string> files_;
  std::map<std::string, uint32_t, std::less<>> file_numbers_;
  std::vector<uint32_t> file_of_;  // by test; number in files_, kNoIndex if unknown
  // Of the part that is being added:
  std::vector<FailureOfTest> failures_;
  std::vector<Attempt> attempts_;
  std::vector<FailedAttempt> failed_;
  uint32_t repetitions_ = 1;
  std::vector<Executions> others_;
  bool shuffled_ = false;
};

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_RECORD_EVIDENCE_H_
