// SPDX-License-Identifier: MIT
#include "spool/journal_results.h"

#include <algorithm>
#include <utility>

#include "history/text.h"

namespace flaky {
namespace {

// More iterations than any process can run. Keeps sums within their type, whatever a journal says.
constexpr int64_t kMostIterations = int64_t{1} << 40;
constexpr size_t kFailureOverhead = 512;
constexpr size_t kLeastMessage = 256;

bool IsFailure(const JournalFailure& failure) { return !failure.is_skip; }

bool IsPlain(const JournalResult& result) {
  const bool has_outcome = result.outcome == JournalOutcome::kPassed || result.outcome == JournalOutcome::kSkipped ||
                           result.outcome == JournalOutcome::kNotRun;
  return has_outcome && std::ranges::none_of(result.failures, IsFailure);
}

bool IsOpen(const JournalResult& result) {
  return result.outcome == JournalOutcome::kUnfinished || result.outcome == JournalOutcome::kExited;
}

bool BelongsTo(const std::string& suite, const JournalResult& result) {
  return !suite.empty() && result.name.starts_with(suite) && result.name.substr(suite.size()).starts_with('.');
}

// Counts the executions of a result in another one.
void AddExecutions(JournalResult& result, const JournalResult& more) {
  result.executions += more.executions;
  result.further_us += more.further_us + (more.is_measured ? more.duration_us : 0);
  result.further_measured += more.further_measured + (more.is_measured ? 1 : 0);
}

void CutMessage(JournalFailure& failure) {
  if (failure.message.size() <= kLeastMessage) return;
  const size_t cut = failure.message.size() - kLeastMessage;
  failure.message.resize(kLeastMessage);
  failure.message = MakeStorable(failure.message) + "\n[flaky: " + std::to_string(cut) + " more bytes were cut]";
}

}  // namespace

bool FailureBudget::Take(const JournalFailure& failure) {
  const size_t size = kFailureOverhead + failure.message.size() + failure.file.size();
  if (size > left_) return false;
  left_ -= size;
  return true;
}

void JournalResults::BeginIteration(int64_t number, bool counted, std::optional<int64_t> shuffle_seed) {
  number = std::clamp<int64_t>(number, 0, kMostIterations);
  if (!std::exchange(repeats_, true)) {
    for (size_t at = 0; at < journal_.results.size(); ++at) {
      Test& test = TestOf(journal_.results[at]);
      test.first = at;
      Index(at, test);
    }
  }
  if (counted_) ++counted_before_;
  if (counted) counted_before_ += std::max<int64_t>(0, number - iteration_ - 1);
  counted_before_ = std::min(counted_before_, kMostIterations);
  counted_ = counted;
  iteration_ = number;
  shuffle_seed_ = shuffle_seed;
}

JournalResult JournalResults::Make() const {
  JournalResult result;
  result.file = file_;
  result.iteration = iteration_;
  result.shuffle_seed = shuffle_seed_;
  return result;
}

void JournalResults::AddFailure(JournalResult& result, JournalFailure failure) {
  if (budget_.Take(failure)) {
    result.failures.push_back(std::move(failure));
  } else if (failure.is_skip) {
    return;  // the text of a skip is not part of a record
  } else if (result.failures.empty()) {
    CutMessage(failure);
    result.failures.push_back(std::move(failure));
    result.is_cut = true;
  } else {
    ++result.failures_left_out;
    result.is_cut = true;
  }
}

void JournalResults::Add(JournalResult result) {
  const bool ran = result.outcome != JournalOutcome::kNotRun;
  if (!IsPlain(result)) result.preceding_test = PrecedingTest();
  journal_.ended_in_test = IsOpen(result);
  for (auto between = journal_.suite_failures.rbegin();
       between != journal_.suite_failures.rend() && !std::exchange(between->has_result_after, true); ++between) {
    if (BelongsTo(between->suite, result)) between->suite_file = result.file;
  }
  Test* const test = repeats_ ? &TestOf(result) : nullptr;
  if (counted_) {
    AddCounted(*test, result.start_us);
    ++test->listed;
    test->listed_in = iteration_;
  }
  last_ = Append(std::move(result), test);
  if (!ran) return;
  preceding_ = last_;
  unlisted_before_.clear();
}

std::string JournalResults::PrecedingTest() const {
  if (!unlisted_before_.empty() || preceding_ == kNone) return unlisted_before_;
  return journal_.results[preceding_].name;
}

void JournalResults::AddSuiteFailure(std::string suite, JournalFailure failure) {
  if (!journal_.suite_failures.empty() && !budget_.Take(failure)) {
    if (IsFailure(failure)) ++journal_.suite_failures_left_out;
    return;
  }
  JournalSuiteFailure between;
  between.shuffle_seed = shuffle_seed_;
  between.preceding_test = PrecedingTest();
  if (last_ != kNone && BelongsTo(suite, journal_.results[last_])) between.suite_file = journal_.results[last_].file;
  between.suite = std::move(suite);
  between.failure = std::move(failure);
  journal_.suite_failures.push_back(std::move(between));
}

void JournalResults::Finish() {
  journal_.last_test = PrecedingTest();
  if (!repeats_) return;
  const bool whole = journal_.end_us.has_value();
  if (counted_ && whole) ++counted_before_;
  if (counted_before_ == 0) return;
  // The test in which the process ended stays the last one.
  std::optional<JournalResult> open;
  if (journal_.ended_in_test) {
    open = std::move(journal_.results.back());
    journal_.results.pop_back();
  }
  const size_t count = journal_.results.size();
  for (size_t at = 0; at < count; ++at) {
    Test& test = TestOf(journal_.results[at]);
    if (test.first != at) continue;
    if (counted_ && !whole && test.listed_in == iteration_) --test.listed;
    AddCounted(test, journal_.last_us);
  }
  if (open) journal_.results.push_back(std::move(*open));
}

JournalResults::Test& JournalResults::TestOf(const JournalResult& result) {
  return tests_[result.name + '\0' + result.file];
}

void JournalResults::Index(size_t at, Test& test) {
  test.last = at;
  if (journal_.results[at].outcome == JournalOutcome::kFailed) test.last_failed = at;
}

size_t JournalResults::Append(JournalResult result, Test* test) {
  if (test != nullptr && test->last != kNone) {
    JournalResult& last = journal_.results[test->last];
    if (IsPlain(result) && IsPlain(last) && last.outcome == result.outcome) {
      AddExecutions(last, result);
      return test->last;
    }
    if (result.is_cut && result.outcome == JournalOutcome::kFailed && test->last_failed != kNone) {
      AddExecutions(journal_.results[test->last_failed], result);
      return test->last_failed;
    }
  }
  journal_.results.push_back(std::move(result));
  const size_t at = journal_.results.size() - 1;
  if (test != nullptr) Index(at, *test);
  return at;
}

void JournalResults::AddCounted(Test& test, int64_t us) {
  const int64_t executions = counted_before_ - test.listed - test.counted;
  if (test.first == kNone || executions <= 0) return;
  const JournalResult& first = journal_.results[test.first];
  const bool skipped = first.outcome == JournalOutcome::kSkipped;
  JournalResult result;
  result.name = first.name;
  result.file = first.file;
  result.line = first.line;
  result.start_us = us;
  result.outcome = skipped ? JournalOutcome::kSkipped : JournalOutcome::kPassed;
  result.executions = executions;
  result.is_measured = false;
  result.iteration = iteration_;
  Append(std::move(result), &test);
  test.counted += executions;
}

}  // namespace flaky
