// SPDX-License-Identifier: MIT
#include "analysis/left_out.h"

#include <array>

#include "analysis/new_patterns.h"

namespace flaky {
namespace {

struct ReasonInfo {
  std::string_view name;
  std::string phrase;
};

const ReasonInfo& InfoOf(LeftOutReason reason) {
  static const std::array<ReasonInfo, 5> kInfos = {{
      {"many_failed_tests", "with " + std::to_string(NewPatternRule::kTooManyFailedTests) + " or more failed tests"},
      {"interrupted", "interrupted"},
      {"ended_early", "ended early"},
      {"no_end", "without an end"},
      {"no_count", "without a count of failed tests"},
  }};
  return kInfos.at(static_cast<size_t>(reason));
}

}  // namespace

std::string_view NameOf(LeftOutReason reason) { return InfoOf(reason).name; }

std::optional<LeftOutReason> WhyLeftOut(const Account& account, bool interrupted) {
  if (!account.ended_at) return LeftOutReason::kNoEnd;
  if (account.failed_tests.value_or(0) >= NewPatternRule::kTooManyFailedTests) return LeftOutReason::kManyFailed;
  if (!account.failed_tests) return LeftOutReason::kNoCount;
  if (account.status) return std::nullopt;
  return interrupted ? LeftOutReason::kInterrupted : LeftOutReason::kEndedEarly;
}

void RunTally::Add(std::optional<LeftOutReason> why) {
  ++runs;
  if (why) ++left_out[*why];
}

int64_t RunTally::LeftOut() const {
  int64_t sum = 0;
  for (const auto& [reason, count] : left_out) sum += count;
  return sum;
}

std::string RunTally::Phrase() const {
  if (left_out.empty()) return {};
  std::string text =
      std::to_string(LeftOut()) + " of " + std::to_string(runs) + (runs == 1 ? " run" : " runs") + " left out: ";
  bool first = true;
  for (const auto& [reason, count] : left_out) {
    text += (first ? "" : ", ") + std::to_string(count) + ' ' + InfoOf(reason).phrase;
    first = false;
  }
  return text;
}

bool IsOutsideTests(std::string_view test_file, std::string_view test_name) {
  return test_file.size() == test_name.size() + 2 && test_file.starts_with('[') && test_file.ends_with(']') &&
         test_file.substr(1, test_name.size()) == test_name;
}

bool IsOutsideTests(const Failure& failure) {
  if (IsOutsideTests(failure.test_file, failure.test_name)) return true;
  // The names of other tools' tests need no dot.
  return failure.part_id && failure.test_name.find('.') == std::string::npos;
}

}  // namespace flaky
