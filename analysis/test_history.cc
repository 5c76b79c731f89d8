// SPDX-License-Identifier: MIT
#include "analysis/test_history.h"

#include <algorithm>
#include <functional>
#include <tuple>

namespace flaky {
namespace {

// A test whose messages contain times or addresses has as many messages as failures.
constexpr size_t kMostMessages = 1000;
constexpr size_t kLongestMessage = 2000;

template <typename Counts>
auto Sorted(const std::map<std::string, Counts, std::less<>>& counted, auto count_of) {
  std::vector<std::pair<std::string, Counts>> sorted(counted.begin(), counted.end());
  std::ranges::stable_sort(sorted, std::ranges::greater(), [&](const auto& entry) { return count_of(entry.second); });
  return sorted;
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
  auto known = messages_.find(text);
  if (known == messages_.end()) {
    if (messages_.size() >= kMostMessages) {
      ++other_messages_;
      return;
    }
    known = messages_.emplace(text, MessageCounts()).first;
  }
  ++known->second.failures;
  known->second.last = std::max(known->second.last, failure.failed_at);
}

void TestHistory::Sort() {
  std::ranges::stable_sort(outcomes_, {},
                           [](const PartOutcome& outcome) { return std::tuple(outcome.at, outcome.failed); });
}

std::string_view TestHistory::LastGoodCommit(Timestamp since, std::string_view branch) const {
  std::string_view last;
  for (const PartOutcome& outcome : outcomes_) {
    if (outcome.at >= since) break;
    if (!outcome.failed && !outcome.dirty && Text(outcome.branch) == branch) last = Text(outcome.commit);
  }
  return last;
}

std::vector<std::pair<std::string, MessageCounts>> TestHistory::Messages() const {
  return Sorted(messages_, [](const MessageCounts& counts) { return counts.failures; });
}

std::vector<std::pair<std::string, int64_t>> TestHistory::Preceding() const {
  return Sorted(preceding_, [](int64_t count) { return count; });
}

}  // namespace flaky
