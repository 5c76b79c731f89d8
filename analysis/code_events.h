// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_CODE_EVENTS_H_
#define FLAKY_ANALYSIS_CODE_EVENTS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/history_index.h"

namespace flaky {

// The variants in a bit mask. Variants from the 64th on share bits, which loses evidence but invents none.
using VariantMask = uint64_t;
inline VariantMask MaskOf(uint16_t variant) { return VariantMask{1} << variant % 64; }

// What was seen of one test on one code version on which it failed.
struct CodeEvent {
  uint32_t code = 0;
  uint32_t first_failure = 0;  // in HistoryIndex::failures
  uint32_t failures = 0;
  uint32_t executions = 0;  // of the test on this code, the failed ones included
  uint32_t passes = 0;      // executions that passed
  VariantMask passed = 0;   // variants in which it passed on this code
  VariantMask gap = 0;      // variants in which it passed on codes of this branch since the event before
  bool first_of_branch = true;
  // Of a code of another branch or an edited one: the last event of the test on the default branch from which this code
  // may have come, its number among the events of the test, and the variants that passed there since.
  uint32_t base_event = kNoIndex;
  VariantMask base_passed = 0;
  bool base_known = false;   // by the merge base; else it is guessed by time
  float break_prior = 0;     // that a new code breaks this test, given the other tests that fail on this code
  uint32_t suite_group = 0;  // number of (code, suite)
};

struct TestEvents {
  TestId test = 0;
  uint32_t first_event = 0;
  uint32_t events = 0;
  VariantMask passed_after = 0;  // variants in which it passed on the default branch after its last event there
  uint32_t codes_after = 0;      // codes of the default branch since then that executed it, up to a limit
};

// Groups the failures of each test by code. The events of a test are in the order of HistoryIndex::line.
class CodeEvents {
 public:
  explicit CodeEvents(const HistoryIndex& index);

  std::span<const CodeEvent> Of(const TestEvents& test) const { return {&events[test.first_event], test.events}; }
  std::span<CodeEvent> Of(const TestEvents& test) { return {&events[test.first_event], test.events}; }

  std::vector<TestEvents> tests;
  std::vector<CodeEvent> events;
  uint32_t suite_groups = 0;

 private:
  void CountOnCode(const HistoryIndex& index, TestId test, CodeEvent& event) const;
  void FindBases(const HistoryIndex& index, const TestEvents& test, VariantMask wanted);
  void NumberSuites(const HistoryIndex& index);
};

// Returns the variants in which a test was executed on the codes at the positions [begin, end) of HistoryIndex::line.
// Looks from the end on and stops when `wanted` is covered, or after 256 codes.
VariantMask ExecutedBetween(const HistoryIndex& index, TestId test, uint32_t begin, uint32_t end, VariantMask wanted,
                            uint32_t* codes = nullptr);

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_CODE_EVENTS_H_
