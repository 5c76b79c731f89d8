// SPDX-License-Identifier: MIT
#include "analysis/decide.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <tuple>
#include <utility>

#include "analysis/hints.h"

namespace flaky {
namespace {

// The rate below which a share of the weights is. Within a step of the grid the weight is spread evenly over the
// logarithm.
double Quantile(const std::array<double, kRates>& weights, double share) {
  const auto& rates = Rates().rate;
  const double step = std::log(rates[1] / rates[0]);
  double below = 0;
  for (size_t i = 0; i < kRates; ++i) {
    if (below + weights[i] >= share && weights[i] > 0) {
      const double within = (share - below) / weights[i] - 0.5;
      return std::min(1.0, rates[i] * std::exp(step * within));
    }
    below += weights[i];
  }
  return rates.back();
}

bool IsFlaky(Verdict verdict) { return verdict == Verdict::kFlaky || verdict == Verdict::kNewlyFlaky; }

int64_t Micros(double days) { return static_cast<int64_t>(days * static_cast<double>(kMicrosPerDay)); }

}  // namespace

FlakeRate RateFrom(const PerState& posterior, double clustering) {
  std::array<double, kRates> weights{};
  double sum = 0;
  for (size_t i = 0; i < kRates; ++i) {
    const double prior = Rates().prior[i];
    weights[i] = prior * std::pow(posterior[i] / prior, 1 / clustering);
    sum += weights[i];
  }
  if (!(sum > 0)) return {};
  for (double& weight : weights) weight /= sum;
  return {.low = Quantile(weights, 0.025), .median = Quantile(weights, 0.5), .high = Quantile(weights, 0.975)};
}

int64_t PassesUntil(const PerState& posterior, double until, double mended) {
  const auto& rates = Rates().rate;
  const auto flaky_after = [&](int64_t passes) {
    double flaky = 0, healthy = posterior[kNotFlaky];
    for (size_t i = 0; i < kRates; ++i) {
      // It passed and was not mended, each time; or it was mended after some passes.
      const double still = (1 - rates[i]) * (1 - mended);
      const double all = std::exp(static_cast<double>(passes) * std::log(still));
      flaky += posterior[i] * all;
      healthy += posterior[i] * mended * (1 - all) / (1 - still);
    }
    return flaky / (flaky + healthy);
  };
  constexpr int64_t kMost = 1'000'000;
  if (flaky_after(0) <= until) return 0;
  int64_t low = 0;
  int64_t high = 1;
  while (high < kMost && flaky_after(high) > until) high *= 2;
  while (low + 1 < high) {
    const int64_t middle = (low + high) / 2;
    (flaky_after(middle) > until ? low : high) = middle;
  }
  return high;
}

double Decider::MendedPerPass(std::span<const uint32_t> executions) const {
  double passes = 0;
  for (const uint32_t count : executions) passes += count;
  const double days = static_cast<double>(bins_.width) * static_cast<double>(executions.size()) / kMicrosPerDay;
  return std::min(0.5, model_.is_mended * std::max(1.0, days) / std::max(1.0, passes));
}

TestVerdict Decider::Decide(const TestEvents& test, const TestPosterior& posterior,
                            std::span<const uint32_t> executions, std::span<const Fault> faults) const {
  TestVerdict verdict;
  verdict.test = test.test;
  verdict.identity = index_.tests[test.test];
  for (const uint32_t count : executions) verdict.executions += count;
  for (const CodeEvent& event : events_.Of(test)) verdict.failures += event.failures;
  // A test that failed was executed, even if no roster says so.
  verdict.executions = std::max(verdict.executions, verdict.failures);

  const auto& flaky = posterior.flaky();
  const auto& steps = posterior.steps();
  verdict.p_flaky = Flaky(flaky.back());
  verdict.p_broken = posterior.BrokenNow();
  bool once = false;
  bool lately = false;
  bool before = false;
  int64_t executions_before = 0;
  for (size_t i = 0; i < steps.size(); ++i) {
    const int64_t begin = bins_.first + static_cast<int64_t>(steps[i].bin) * bins_.width;
    const bool is_flaky = Flaky(flaky[i]) >= model_.flaky_at;
    once = once || is_flaky;
    lately = lately || (is_flaky && begin + bins_.width > at_ - Micros(model_.fixed_days));
    before = before || (Flaky(flaky[i]) >= model_.newly_until * verdict.p_flaky &&
                        begin + bins_.width <= at_ - Micros(model_.newly_days));
  }
  for (size_t bin = 0; bin < executions.size(); ++bin) {
    const int64_t end = bins_.first + static_cast<int64_t>(bin + 1) * bins_.width;
    if (end <= at_ - Micros(model_.newly_days)) executions_before += executions[bin];
  }
  bool mended = false;
  const std::span own = events_.Of(test);
  for (size_t e = 0; e < own.size(); ++e) {
    const HistoryIndex::Code& code = index_.codes[own[e].code];
    if (code.dirty || code.branch != index_.default_branch || posterior.Broken(e) < 0.5) continue;
    const uint32_t last = own[e].first_failure + own[e].failures - 1;
    mended = mended || index_.PartOf(index_.failures[last]).start >= at_ - Micros(model_.fixed_days);
  }

  if (verdict.p_broken >= model_.broken_at) {
    verdict.verdict = Verdict::kBroken;
  } else if (verdict.p_flaky >= model_.flaky_at || (once && verdict.p_flaky > model_.flaky_until)) {
    const bool newly = !before && static_cast<double>(executions_before) >= model_.new_below;
    verdict.verdict = newly ? Verdict::kNewlyFlaky : Verdict::kFlaky;
  } else if (static_cast<double>(verdict.executions) < model_.new_below) {
    verdict.verdict = Verdict::kNew;
  } else if (verdict.p_flaky >= model_.suspect_at) {
    verdict.verdict = Verdict::kSuspect;
  } else if (lately || (mended && verdict.p_broken < 0.5)) {
    verdict.verdict = Verdict::kFixed;
  }
  const bool flags = IsFlaky(verdict.verdict);
  if (flags || verdict.verdict == Verdict::kSuspect) verdict.rate = RateFrom(flaky.back(), model_.clustering);
  if (flags) verdict.passes_missing_until_fixed = PassesUntil(flaky.back(), model_.flaky_until, MendedPerPass(executions));
  int64_t last = INT64_MIN;
  for (const CodeEvent& event : own) {
    for (uint32_t i = event.first_failure; i < event.first_failure + event.failures; ++i) {
      last = std::max(last, index_.PartOf(index_.failures[i]).start);
    }
  }
  verdict.last_failure = Timestamp{last};
  FindSince(test, posterior, faults, verdict);
  AddReasons(test, faults, verdict);
  return verdict;
}

std::vector<CodeEvidence> Decider::Explain(const TestEvents& test, std::span<const Fault> faults,
                                           std::span<const float> p_flaky) const {
  std::vector<CodeEvidence> codes;
  const std::span own = events_.Of(test);
  for (size_t e = 0; e < own.size(); ++e) {
    const HistoryIndex::Code& code = index_.codes[own[e].code];
    CodeEvidence evidence;
    evidence.code = index_.Text(code.key);
    evidence.commit = index_.Text(code.commit);
    evidence.branch = index_.Text(code.branch);
    evidence.dirty = code.dirty;
    evidence.executions = own[e].executions;
    evidence.failures = own[e].failures;
    int64_t first = INT64_MAX;
    for (uint32_t i = own[e].first_failure; i < own[e].first_failure + own[e].failures; ++i) {
      first = std::min(first, index_.PartOf(index_.failures[i]).start);
      evidence.p_code += faults[i].code / own[e].failures;
      evidence.p_test += faults[i].test / own[e].failures;
      evidence.p_machine += faults[i].machine() / own[e].failures;
    }
    evidence.first_seen = {first};
    evidence.p_flaky = p_flaky[test.first_event + e];
    codes.push_back(std::move(evidence));
  }
  std::sort(codes.begin(), codes.end(), [](const CodeEvidence& a, const CodeEvidence& b) {
    return std::tie(a.first_seen, a.code) < std::tie(b.first_seen, b.code);
  });
  return codes;
}

// Flaky: since the first failure that the test itself explains in the present stretch. Broken: since the first code of
// the present stretch on the default branch.
void Decider::FindSince(const TestEvents& test, const TestPosterior& posterior, std::span<const Fault> faults,
                        TestVerdict& verdict) const {
  const std::span own = events_.Of(test);
  const auto& flaky = posterior.flaky();
  const CodeEvent* found = nullptr;
  int64_t since = INT64_MAX;
  if (verdict.verdict == Verdict::kBroken) {
    for (size_t e = 0; e < own.size(); ++e) {
      const HistoryIndex::Code& code = index_.codes[own[e].code];
      if (code.dirty || code.branch != index_.default_branch) break;
      if (posterior.Broken(e) < 0.5) {
        found = nullptr;
      } else if (found == nullptr || own[e].gap != 0) {
        found = &own[e];
        since = code.time;
      }
    }
  } else if (IsFlaky(verdict.verdict) || verdict.verdict == Verdict::kSuspect) {
    size_t first = flaky.size() - 1;
    while (first > 0 && Flaky(flaky[first - 1]) >= std::min(model_.flaky_at, verdict.p_flaky)) --first;
    for (const CodeEvent& event : own) {
      for (uint32_t i = event.first_failure; i < event.first_failure + event.failures; ++i) {
        const int64_t start = index_.PartOf(index_.failures[i]).start;
        if (posterior.StepOf(bins_.Of(start)) < first || faults[i].test < 0.5F || start >= since) continue;
        since = start;
        found = &event;
      }
    }
  }
  if (found == nullptr) return;
  verdict.since = Timestamp{since};
  verdict.since_code = std::string(index_.Text(index_.codes[found->code].key));
  verdict.since_commit = std::string(index_.Text(index_.codes[found->code].commit));
}

void Decider::AddReasons(const TestEvents& test, std::span<const Fault> faults, TestVerdict& verdict) const {
  std::array<int64_t, 12> counts{};
  const auto count = [&](ReasonCode code) -> int64_t& { return counts[static_cast<size_t>(code)]; };
  const std::span own = events_.Of(test);
  for (const CodeEvent& event : own) {
    const HistoryIndex::Code& code = index_.codes[event.code];
    bool both = false;
    for (uint32_t i = event.first_failure; i < event.first_failure + event.failures; ++i) {
      const HistoryIndex::Failure& failure = index_.failures[i];
      const HistoryIndex::Part& part = index_.PartOf(failure);
      both = both || (event.passed & MaskOf(part.variant)) != 0;
      count(ReasonCode::kRetryPassed) += failure.passed > 0 ? 1 : 0;
      count(ReasonCode::kFailedTogether) += causes_.Outage(failure.part) >= 0.5 ? 1 : 0;
      count(ReasonCode::kEditedCode) += code.dirty ? 1 : 0;
      count(ReasonCode::kKilled) += failure.killed ? 1 : 0;
      count(ReasonCode::kAssumedExecutions) += part.roster == kNoIndex ? 1 : 0;
    }
    count(ReasonCode::kSameCodeBoth) += both ? 1 : 0;
    if (!code.dirty && event.gap != 0) ++count(ReasonCode::kFailedOnSeveral);
    if (event.passed == 0 && verdict.since_code == index_.Text(code.key) && verdict.verdict == Verdict::kBroken) {
      count(ReasonCode::kAllFailOnCode) = event.executions;
    }
    if (verdict.verdict == Verdict::kFixed && code.branch == index_.default_branch &&
        faults[event.first_failure].code >= 0.5F) {
      ++count(ReasonCode::kCommitMended);
    }
  }
  if (count(ReasonCode::kFailedOnSeveral) < 2) count(ReasonCode::kFailedOnSeveral) = 0;
  if (verdict.failures == 1) count(ReasonCode::kFailedOnce) = verdict.executions;
  if (static_cast<double>(verdict.executions) < model_.new_below) {
    count(ReasonCode::kFewExecutions) = verdict.executions;
  }
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) verdict.reasons.push_back({static_cast<ReasonCode>(i), counts[i]});
  }
}

void Decider::AddCosts(std::span<TestVerdict> verdicts) const {
  constexpr uint32_t kSeveral = kNoIndex - 1;
  std::vector<uint32_t> only(index_.runs.size(), kNoIndex);
  for (uint32_t v = 0; v < verdicts.size(); ++v) {
    for (const CodeEvent& event : events_.Of(events_.tests[v])) {
      for (uint32_t i = event.first_failure; i < event.first_failure + event.failures; ++i) {
        uint32_t& test = only[index_.PartOf(index_.failures[i]).run];
        if (test != v) test = test == kNoIndex ? v : kSeveral;
      }
    }
  }
  for (const uint32_t test : only) {
    if (test < kSeveral) ++verdicts[test].cost;
  }
}

void Decider::AddHints(std::span<TestVerdict> verdicts, std::span<const Fault> faults) const {
  std::optional<HintFinder> finder;
  for (size_t v = 0; v < verdicts.size(); ++v) {
    if (!IsFlaky(verdicts[v].verdict)) continue;
    if (!finder) finder.emplace(index_, model_.clustering);
    verdicts[v].hints = finder->Find(events_.Of(events_.tests[v]), faults);
  }
}

std::vector<std::vector<TestId>> Decider::AddClusters(std::span<TestVerdict> verdicts,
                                                      std::span<const Fault> faults) const {
  std::vector<uint32_t> flaky;
  std::vector<uint32_t> number_of(index_.tests.size(), kNoIndex);
  for (uint32_t v = 0; v < verdicts.size(); ++v) {
    if (!IsFlaky(verdicts[v].verdict)) continue;
    flaky.push_back(v);
    number_of[verdicts[v].test] = v;
  }
  auto clusters = FindClusters(index_, events_, flaky, faults);
  for (uint32_t c = 0; c < clusters.size(); ++c) {
    for (const TestId test : clusters[c]) verdicts[number_of[test]].cluster = c;
  }
  return clusters;
}

Judgement Decider::Finish(std::vector<TestVerdict> verdicts, std::span<const Fault> faults) const {
  Judgement judgement;
  judgement.tests_seen = static_cast<int64_t>(index_.tests.size());
  judgement.parts = static_cast<int64_t>(index_.order.size());
  judgement.default_branch = index_.default_branch == kNoIndex ? "" : index_.Text(index_.default_branch);
  std::vector<bool> run_counts(index_.runs.size());
  std::vector<double> machine(index_.parts.size());
  for (size_t i = 0; i < faults.size(); ++i) machine[index_.failures[i].part] += faults[i].machine();
  for (const uint32_t number : index_.order) {
    const HistoryIndex::Part& part = index_.parts[number];
    run_counts[part.run] = true;
    judgement.parts_without_roster += part.roster == kNoIndex ? 1 : 0;
    // In a small suite, what hits many tests may have been taken for trouble that hits a few.
    const bool are_many = part.failed >= 4 && part.failed * 10 >= part.executed;
    const double by_machine = are_many ? machine[number] / static_cast<double>(part.failed) : 0;
    const double outage = part.failed < 4 ? 0 : std::max<double>(causes_.Outage(number), by_machine);
    if (outage < 0.5) continue;
    judgement.infrastructure.push_back({.run = part.run,
                                        .run_id = std::string(index_.Text(index_.runs[part.run].id)),
                                        .started_at = {part.start},
                                        .variant = std::string(index_.VariantName(part.variant)),
                                        .host = std::string(index_.HostName(part.host)),
                                        .failed_tests = part.failed,
                                        .executed_tests = part.executed,
                                        .probability = outage});
  }
  judgement.runs = std::count(run_counts.begin(), run_counts.end(), true);
  double executions = 0;
  double troubled = 0;
  for (const uint32_t number : index_.order) executions += index_.parts[number].executed;
  for (size_t i = 0; i < faults.size(); ++i) {
    if (causes_.Outage(index_.failures[i].part) < 0.5) troubled += faults[i].machine();
  }
  judgement.background = executions > 0 ? troubled / executions : 0;
  AddCosts(verdicts);
  AddHints(verdicts, faults);
  judgement.clusters = AddClusters(verdicts, faults);
  judgement.tests = std::move(verdicts);
  std::sort(judgement.tests.begin(), judgement.tests.end(), [](const TestVerdict& a, const TestVerdict& b) {
    return std::tie(b.cost, a.identity) < std::tie(a.cost, b.identity);
  });
  return judgement;
}

}  // namespace flaky
