// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_VERDICT_H_
#define FLAKY_ANALYSIS_VERDICT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/evidence.h"
#include "history/time.h"

namespace flaky {

enum class Verdict { kHealthy, kNew, kSuspect, kFixed, kFlaky, kNewlyFlaky, kBroken };

// Returns the word for it: healthy, new, suspect, fixed, flaky, newly_flaky, broken.
std::string_view WordFor(Verdict verdict);

// The share of executions that fail on good code, with a 95 % interval.
struct FlakeRate {
  double low = 0;
  double median = 0;
  double high = 0;
};

// A fact for which a verdict was given. `count` is a number of what the words say.
enum class ReasonCode {
  kSameCodeBoth,       // code versions on which it failed and passed in one variant
  kRetryPassed,        // parts in which a later attempt passed
  kFailedOnce,         // it failed in one part only
  kFailedOnSeveral,    // code versions on which it failed, other ones passed in between
  kFailedTogether,     // its failures that came with unexplained failures of other tests
  kAllFailOnCode,      // executions on the last code versions, which all failed
  kPassedSince,        // executions that passed since its last failure
  kCommitMended,       // code versions that were broken before
  kFewExecutions,      // executions
  kEditedCode,         // its failures on edited code, which prove little
  kKilled,             // its failures in which the process was killed from outside
  kAssumedExecutions,  // failures in runs that do not say which tests passed
};

struct Reason {
  ReasonCode code;
  int64_t count = 0;
};

// Returns the code as JSON has it, for example same_code_both.
std::string_view NameOf(ReasonCode code);
// Returns a phrase for people, for example "failed and passed on the same code (3 code versions)".
std::string Words(const Reason& reason);

enum class HintKind { kVariant, kBranch, kHost, kHour, kShuffled, kPrecedingTest, kSignal };
std::string_view NameOf(HintKind kind);

// A condition on which the failures depend. The failures and executions are those under the condition.
struct Hint {
  HintKind kind;
  std::string value;  // a name; "main" or "other" for branches, "01-03" (UTC) for hours, "yes" or "no" for shuffling
  int64_t failures = 0;
  int64_t executions = 0;  // 0 if it is not known how often the condition held
  int64_t other_failures = 0;
  int64_t other_executions = 0;
};

// What was seen of a test on one code version on which it failed, and who was at fault. The probabilities of code,
// test and machine add up to 1; they are the mean over the failures.
struct CodeEvidence {
  std::string code;  // tree, edited tree or commit; the run's id if the code has none
  std::string commit;
  std::string branch;
  bool dirty = false;
  Timestamp first_seen;
  int64_t executions = 0;
  int64_t failures = 0;
  double p_code = 0;
  double p_test = 0;
  double p_machine = 0;
  double p_flaky = 0;  // that the test was flaky then
};

// Who was at fault for the failure of a test in a part. They add up to 1.
struct Attribution {
  TestId test = 0;
  RunIndex run = 0;
  std::string part_id;
  double p_code = 0;
  double p_test = 0;
  double p_machine = 0;
};

struct TestVerdict {
  TestId test = 0;
  TestIdentity identity;
  Verdict verdict = Verdict::kHealthy;
  double p_flaky = 0;   // now
  double p_broken = 0;  // on the default branch's last code
  std::optional<FlakeRate> rate;
  int64_t executions = 0;
  int64_t failures = 0;  // parts in which it failed
  std::optional<Timestamp> since;
  std::string since_code;
  std::string since_commit;
  std::optional<Timestamp> last_failure;
  int64_t passes_missing_until_fixed = 0;
  int64_t cost = 0;             // runs that this test alone made red
  uint32_t cluster = kNoIndex;  // index in Judgement::clusters
  std::vector<Reason> reasons;
  std::vector<Hint> hints;
};

struct InfrastructurePart {
  RunIndex run = 0;
  std::string run_id;
  Timestamp started_at;
  std::string variant;
  std::string host;
  int64_t failed_tests = 0;
  int64_t executed_tests = 0;
  double probability = 0;
};

struct Judgement {
  std::vector<TestVerdict> tests;  // that failed, by cost, then by name
  int64_t tests_seen = 0;
  int64_t runs = 0;
  int64_t parts = 0;
  int64_t parts_without_roster = 0;
  std::vector<InfrastructurePart> infrastructure;  // in order of time
  std::vector<std::vector<TestId>> clusters;       // tests that fail together, the largest first
  std::string default_branch;
  double background = 0;  // the estimated probability that a machine fails one test in one execution
};

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_VERDICT_H_
