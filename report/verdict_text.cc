// SPDX-License-Identifier: MIT
#include "report/verdict_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <string_view>
#include <utility>

namespace flaky {
namespace {

// Returns the number with as many decimals as its size deserves.
std::string Number(double percent) {
  std::array<char, 32> text{};
  const int digits = percent >= 9.95 || percent == 0 ? 0 : percent >= 0.995 ? 1 : 2;
  std::snprintf(text.data(), text.size(), "%.*f", digits, percent);
  return text.data();
}

std::string Place(const Hint& hint) {
  switch (hint.kind) {
    case HintKind::kVariant:
      return "in " + (hint.value.empty() ? "builds without a variant" : hint.value);
    case HintKind::kBranch:
      return hint.value == "other" ? "on branches other than the default one" : "on branch " + hint.value;
    case HintKind::kHost:
      return "on machine " + (hint.value.empty() ? "(unknown)" : hint.value);
    case HintKind::kHour:
      return "between " + hint.value.substr(0, 2) + ":00 and " +
             hint.value.substr(std::min<size_t>(3, hint.value.size())) + ":00 UTC";
    case HintKind::kShuffled:
      return hint.value == "yes" ? "when tests are shuffled" : "when tests are not shuffled";
    case HintKind::kPrecedingTest:
      return "after " + hint.value;
    case HintKind::kSignal:
      break;
  }
  return "by a signal";
}

}  // namespace

std::string PhraseFor(Verdict verdict) {
  std::string word(WordFor(verdict));
  std::ranges::replace(word, '_', ' ');
  return word;
}

std::string PercentText(double share) { return Number(100 * share) + " %"; }

std::string ProbabilityText(double probability) {
  if (probability > 0.99) return "> 99 %";
  if (probability < 0.01) return "< 1 %";
  return std::to_string(std::lround(100 * probability)) + " %";
}

std::string IntervalText(const FlakeRate& rate) {
  return Number(100 * rate.low) + " to " + Number(100 * rate.high) + " %";
}

std::string OfText(int64_t count, int64_t all) { return std::to_string(count) + " of " + std::to_string(all); }

std::string HintText(const Hint& hint) {
  if (hint.kind == HintKind::kSignal) return "a signal ended its process in each of its failures";
  const std::string beginning = (hint.other_failures == 0 ? "only " : "mostly ") + Place(hint) + ": ";
  if (hint.executions == 0) {
    return beginning + OfText(hint.failures, hint.failures + hint.other_failures) + " failures in shuffled runs";
  }
  return beginning + OfText(hint.failures, hint.executions) + ", elsewhere " +
         OfText(hint.other_failures, hint.other_executions);
}

std::string NameWithProgram(const TestIdentity& test) {
  return test.program.empty() ? test.name : test.name + " [" + test.program + "]";
}

std::string FaultText::Words() const {
  constexpr double kSure = 0.95;
  std::array<std::pair<double, std::string_view>, 3> causes = {
      {{p_code, "the code"}, {p_test, "the test"}, {p_machine, "the machine"}}};
  std::ranges::stable_sort(causes, std::ranges::greater(), [](const auto& cause) { return cause.first; });
  const auto words = [](const auto& cause) {
    return std::string(cause.second) + " (" + ProbabilityText(cause.first) + ")";
  };
  if (causes[0].first >= kSure) return words(causes[0]);
  return words(causes[0]) + " or " + words(causes[1]);
}

}  // namespace flaky
