// SPDX-License-Identifier: MIT
#include "cli/repeat_command.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace flaky {
namespace {

constexpr double kWanted = 0.95;  // probability that one of the repeats fails
constexpr int64_t kMostRepeats = 10'000;
constexpr int64_t kUnknownRate = 1000;  // repeats

int64_t RepeatsFor(const TestVerdict& verdict) {
  if (verdict.verdict == Verdict::kBroken) return 1;
  if (!verdict.rate || verdict.rate->median <= 0) return kUnknownRate;
  if (verdict.rate->median >= kWanted) return 1;
  const double needed = std::log(1 - kWanted) / std::log1p(-verdict.rate->median);
  return std::clamp<int64_t>(static_cast<int64_t>(std::ceil(needed)), 1, kMostRepeats);
}

// Returns the text as one word of a shell.
std::string Word(const std::string& text) {
  const bool plain =
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-:=") == text.npos;
  if (plain && !text.empty()) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

}  // namespace

std::vector<std::string> RepeatCommands(const TestIdentity& test, const TestVerdict& verdict,
                                        const TestHistory& history) {
  const std::string program = test.program.empty() ? "TEST_PROGRAM" : Word("./" + test.program);
  const int64_t repeats = RepeatsFor(verdict);
  const std::string often = repeats > 1 ? " --gtest_repeat=" + std::to_string(repeats) : "";
  std::vector<std::string> lines = {program + " " + Word("--gtest_filter=" + test.name) + often};
  for (const Hint& hint : verdict.hints) {
    if (hint.kind != HintKind::kPrecedingTest) continue;
    lines.push_back(program + " " + Word("--gtest_filter=" + hint.value + ":" + test.name) + " --gtest_shuffle" +
                    often);
  }
  if (history.shuffled()) {
    lines.push_back(program + " --gtest_shuffle --gtest_random_seed=" + std::to_string(history.shuffled()->seed));
  }
  return lines;
}

}  // namespace flaky
