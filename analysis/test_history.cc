// SPDX-License-Identifier: MIT
#include "analysis/test_history.h"

#include <algorithm>
#include <functional>
#include <tuple>
#include <utility>

namespace flaky {
namespace {

// A test whose messages contain times or addresses has as many messages as failures.
constexpr size_t kMostMessages = 1000;
constexpr size_t kLongestMessage = 2000;

// Returns the text with `#` in place of each number.
std::string WithoutNumbers(std::string_view text) {
  std::string without;
  bool number = false;
  for (const char c : text) {
    const bool digit = (c >= '0' && c <= '9') || (number && ((c >= 'a' && c <= 'f') || c == 'x' || c == '.'));
    if (digit && !number) without += '#';
    if (!digit) without += c;
    number = digit;
  }
  return without;
}

}  // namespace

uint32_t TestHistory::NumberOf(std::string_view text) {
  const auto known = numbers_.find(text);
  if (known != numbers_.end()) return known->second;
  const auto added = numbers_.emplace(text, static_cast<uint32_t>(texts_.size())).first;
  texts_.push_back(&added->first);
  return added->second;
}

void TestHistory::Add(const PartReading& part, TestId test) {
  const int64_t executions = part.ExecutionsOf(test);
  if (executions == 0) return;
  const Run& run = part.record.run;
  const auto failed = std::ranges::count(part.evidence.failures, test, &FailedAttempt::test);
  outcomes_.push_back({.at = part.evidence.started_at,
                       .commit = NumberOf(run.git_sha.value_or("")),
                       .branch = NumberOf(run.branch.value_or("")),
                       .dirty = run.git_dirty.value_or(false),
                       .failed = failed > 0});
  const auto count = [&](const char* condition, std::string_view value) {
    ConditionCounts& counts = conditions_[{condition, std::string(value)}];
    counts.failed += failed;
    counts.executions += executions;
  };
  count("variant", part.evidence.variant);
  count("branch", run.branch.value_or(""));
  if (!part.evidence.host.empty()) count("host", part.evidence.host);
  for (const FailureOfTest& failure : part.failures) {
    if (failure.test == test) AddFailure(*failure.failure);
  }
}

void TestHistory::AddFailure(const Failure& failure) {
  if (failure.preceding_test) ++preceding_[*failure.preceding_test];
  if (failure.signal) ++signals_[*failure.signal];
  if (failure.shuffle_seed && (!shuffled_ || shuffled_->at <= failure.failed_at)) {
    shuffled_ = {failure.failed_at, *failure.shuffle_seed};
  }
  const std::string text = failure.error_message.value_or(failure.failure_kind).substr(0, kLongestMessage);
  std::string kind = WithoutNumbers(text);
  auto known = messages_.find(kind);
  if (known == messages_.end()) {
    if (messages_.size() >= kMostMessages) {
      ++other_messages_;
      return;
    }
    known = messages_.emplace(std::move(kind), MessageCounts()).first;
  }
  ++known->second.failures;
  if (known->second.text.empty() || known->second.last <= failure.failed_at) {
    known->second.last = failure.failed_at;
    known->second.text = text;
  }
}

void TestHistory::Sort() {
  std::ranges::stable_sort(outcomes_, {},
                           [](const PartOutcome& outcome) { return std::tuple(outcome.at, outcome.failed); });
}

std::string_view TestHistory::LastGoodCommit(Timestamp since, std::string_view branch, std::string_view bad) const {
  std::string_view last;
  for (const PartOutcome& outcome : outcomes_) {
    if (outcome.at >= since) break;
    if (outcome.failed || outcome.dirty || Text(outcome.branch) != branch || Text(outcome.commit) == bad) continue;
    last = Text(outcome.commit);
  }
  return last;
}

std::vector<MessageCounts> TestHistory::Messages() const {
  std::vector<MessageCounts> messages;
  for (const auto& [kind, counts] : messages_) messages.push_back(counts);
  std::ranges::stable_sort(messages, std::ranges::greater(), &MessageCounts::failures);
  return messages;
}

std::vector<std::pair<std::string, int64_t>> TestHistory::Preceding() const {
  std::vector<std::pair<std::string, int64_t>> sorted(preceding_.begin(), preceding_.end());
  std::ranges::stable_sort(sorted, std::ranges::greater(), &std::pair<std::string, int64_t>::second);
  return sorted;
}

}  // namespace flaky
