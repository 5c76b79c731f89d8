// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_TEST_HISTORY_H_
#define FLAKY_ANALYSIS_TEST_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/record_evidence.h"
#include "history/time.h"

namespace flaky {

// What a part shows of one test: it was executed there.
struct PartOutcome {
  Timestamp at;
  uint32_t commit = 0;  // number of the text
  uint32_t branch = 0;
  bool dirty = false;
  bool failed = false;
};

// Failures and executions under one condition.
struct ConditionCounts {
  int64_t failed = 0;  // executions that failed
  int64_t executions = 0;
};

// Failures whose messages differ in numbers only.
struct MessageCounts {
  int64_t failures = 0;
  Timestamp last;
  std::string text;  // of the last one
};

// Which order of tests the last failure in a shuffled part had.
struct ShuffledFailure {
  Timestamp at;
  int64_t seed = 0;
};

// Collects what the parts of a history show of one test, for people. The parts may come in any order. The memory is
// about 24 bytes for each part that executed the test, and each message and text once.
class TestHistory {
 public:
  TestHistory() = default;
  TestHistory(const TestHistory&) = delete;
  TestHistory& operator=(const TestHistory&) = delete;
  TestHistory(TestHistory&&) = default;
  TestHistory& operator=(TestHistory&&) = default;

  // Adds a part. Does nothing if it did not execute the test.
  void Add(const PartReading& part, TestId test);
  // Puts the outcomes into the order of time. Call it after the last Add.
  void Sort();

  const std::vector<PartOutcome>& outcomes() const { return outcomes_; }
  std::string_view Text(uint32_t number) const { return *texts_[number]; }

  // Returns the commit of the last outcome before `since` that passed on this branch, other than `bad`; empty
  // without one.
  std::string_view LastGoodCommit(Timestamp since, std::string_view branch, std::string_view bad) const;

  // What the failures depend on: the condition ("variant", "branch", "host"), its value, the counts.
  const std::map<std::pair<std::string, std::string>, ConditionCounts>& conditions() const { return conditions_; }
  // The distinct messages, the most common ones first.
  std::vector<MessageCounts> Messages() const;
  int64_t other_messages() const { return other_messages_; }  // failures whose messages are not among these
  // Which tests ran before it when it failed, the most common ones first.
  std::vector<std::pair<std::string, int64_t>> Preceding() const;
  const std::optional<ShuffledFailure>& shuffled() const { return shuffled_; }
  // How many failures a signal ended, by signal.
  const std::map<std::string, int64_t>& signals() const { return signals_; }

 private:
  uint32_t NumberOf(std::string_view text);
  void AddFailure(const Failure& failure);

  std::vector<PartOutcome> outcomes_;
  std::map<std::string, uint32_t, std::less<>> numbers_;
  std::vector<const std::string*> texts_;  // keys of numbers_
  std::map<std::pair<std::string, std::string>, ConditionCounts> conditions_;
  std::map<std::string, MessageCounts, std::less<>> messages_;
  int64_t other_messages_ = 0;
  std::map<std::string, int64_t, std::less<>> preceding_;
  std::map<std::string, int64_t> signals_;
  std::optional<ShuffledFailure> shuffled_;
};

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_TEST_HISTORY_H_
