// SPDX-License-Identifier: MIT
#include "analysis/hints.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

namespace flaky {
namespace {

constexpr int64_t kMicrosPerHour = kMicrosPerDay / 24;
constexpr double kShareOfFailures = 0.75;  // of all that must fall under a condition
constexpr double kRateRatio = 4;
constexpr double kLevel = 10.83;  // chi square with one degree of freedom at 0.001
constexpr int64_t kLeastFailures = 3;

struct Counts {
  int64_t failures = 0;
  int64_t executions = 0;
};

double LogLikelihood(double failures, double executions) {
  if (failures <= 0 || failures >= executions) return 0;
  const double rate = failures / executions;
  return failures * std::log(rate) + (executions - failures) * std::log1p(-rate);
}

// Twice the logarithm of the likelihood ratio between two rates and one; 0 if the condition is not the worse side.
double Ratio(const Counts& under, const Counts& all) {
  const double k = static_cast<double>(under.failures);
  const double n = static_cast<double>(std::max(under.executions, under.failures));
  const double rest_k = static_cast<double>(all.failures) - k;
  const double rest_n = std::max(static_cast<double>(all.executions) - n, rest_k);
  if (n <= 0 || rest_n <= 0 || k * rest_n < kRateRatio * rest_k * n) return 0;
  return 2 * (LogLikelihood(k, n) + LogLikelihood(rest_k, rest_n) - LogLikelihood(k + rest_k, n + rest_n));
}

std::string HoursFrom(int hour) {
  const auto two = [](int h) { return std::string(h % 24 < 10 ? "0" : "") + std::to_string(h % 24); };
  return two(hour) + "-" + two(hour + 2);
}

}  // namespace

HintFinder::Stratum HintFinder::Of(const HistoryIndex::Part& part) const {
  const int64_t hour = ((part.start % kMicrosPerDay + kMicrosPerDay) % kMicrosPerDay) / kMicrosPerHour;
  return {.roster = part.roster,
          .variant = part.variant,
          .host = part.host,
          .hour = static_cast<uint8_t>(hour),
          .shuffled = part.shuffled,
          .default_branch = index_.runs[part.run].branch == index_.default_branch,
          .executions = 0};
}

HintFinder::HintFinder(const HistoryIndex& index, double clustering) : index_(index), clustering_(clustering) {
  std::map<Stratum, uint32_t> counted;
  for (const uint32_t number : index.order) {
    counted[Of(index.parts[number])] += index.parts[number].repetitions;
  }
  for (const auto& [stratum, executions] : counted) {
    strata_.push_back(stratum);
    strata_.back().executions = executions;
  }
}

std::vector<Hint> HintFinder::Find(std::span<const CodeEvent> events, std::span<const Fault> faults) const {
  std::vector<Hint> hints;
  std::map<std::pair<HintKind, int64_t>, Counts> conditions;
  std::map<TestId, int64_t> preceding;
  std::array<Counts, 24> hours{};
  Counts all;
  int64_t signals = 0;
  int64_t shuffled = 0;
  std::optional<TestId> test;
  const auto add = [&](const Stratum& stratum, int64_t failures, int64_t executions) {
    for (const auto& key :
         {std::pair(HintKind::kVariant, int64_t{stratum.variant}), std::pair(HintKind::kHost, int64_t{stratum.host}),
          std::pair(HintKind::kBranch, int64_t{stratum.default_branch}),
          std::pair(HintKind::kShuffled, int64_t{stratum.shuffled})}) {
      conditions[key].failures += failures;
      conditions[key].executions += executions;
    }
    hours[stratum.hour].failures += failures;
    hours[stratum.hour].executions += executions;
    all.failures += failures;
    all.executions += executions;
  };
  for (const CodeEvent& event : events) {
    for (uint32_t i = event.first_failure; i < event.first_failure + event.failures; ++i) {
      const HistoryIndex::Failure& failure = index_.failures[i];
      const HistoryIndex::Part& part = index_.PartOf(failure);
      test = failure.test;
      if (faults[i].test < 0.5F) continue;
      add(Of(part), 1, 0);
      signals += failure.signal ? 1 : 0;
      if (!part.shuffled) continue;
      ++shuffled;
      if (failure.preceding != kNoIndex) ++preceding[failure.preceding];
    }
  }
  if (!test || all.failures == 0) return hints;
  for (const Stratum& stratum : strata_) {
    if (index_.Executed(stratum.roster, *test)) add(stratum, 0, stratum.executions);
  }

  if (signals == all.failures && signals >= 2) {
    hints.push_back({HintKind::kSignal, "", signals, 0, 0, 0});
  }
  std::map<HintKind, int> values;
  for (const auto& [key, counts] : conditions) ++values[key.first];
  double best = 0;
  std::optional<Hint> found;
  const auto offer = [&](HintKind kind, std::string value, const Counts& under, int tried) {
    if (under.failures < kLeastFailures ||
        static_cast<double>(under.failures) < kShareOfFailures * static_cast<double>(all.failures)) {
      return;
    }
    const double ratio = Ratio(under, all) / clustering_ - 2 * std::log(tried);
    if (ratio < kLevel || ratio <= best) return;
    best = ratio;
    found = Hint{kind,
                 std::move(value),
                 under.failures,
                 under.executions,
                 all.failures - under.failures,
                 all.executions - under.executions};
  };
  const auto& text = [this](HintKind kind, int64_t value) -> std::string {
    const auto number = static_cast<uint16_t>(value);
    switch (kind) {
      case HintKind::kVariant:
        return std::string(index_.VariantName(number));
      case HintKind::kHost:
        return std::string(index_.HostName(number));
      case HintKind::kBranch:
        return value != 0 ? std::string(index_.Text(index_.default_branch)) : "other";
      default:
        return value != 0 ? "yes" : "no";
    }
  };
  for (const auto& [key, counts] : conditions) {
    if (values[key.first] > 1) offer(key.first, text(key.first, key.second), counts, values[key.first]);
  }
  for (int hour = 0; hour < 24; ++hour) {
    const Counts& a = hours[static_cast<size_t>(hour)];
    const Counts& b = hours[static_cast<size_t>((hour + 1) % 24)];
    offer(HintKind::kHour, HoursFrom(hour), {a.failures + b.failures, a.executions + b.executions}, 24);
  }
  if (found) hints.push_back(*found);

  // In a shuffled program each test of a suite is equally probable to come before.
  for (const auto& [before, count] : preceding) {
    if (count < kLeastFailures || 5 * count < 3 * all.failures || 5 * shuffled < 4 * all.failures) continue;
    hints.push_back({HintKind::kPrecedingTest, index_.tests[before].name, count, 0, all.failures - count, 0});
  }
  return hints;
}

std::vector<std::vector<TestId>> FindClusters(const HistoryIndex& index, const CodeEvents& events,
                                              std::span<const uint32_t> tests, std::span<const Fault> faults) {
  constexpr size_t kMostInPart = 64;  // more are an outage
  std::map<uint32_t, std::vector<uint32_t>> in_part;
  std::vector<int64_t> failures(tests.size());
  for (uint32_t t = 0; t < tests.size(); ++t) {
    for (const CodeEvent& event : events.Of(events.tests[tests[t]])) {
      for (uint32_t i = event.first_failure; i < event.first_failure + event.failures; ++i) {
        if (faults[i].test < 0.5F) continue;
        in_part[index.failures[i].part].push_back(t);
        ++failures[t];
      }
    }
  }
  std::map<std::pair<uint32_t, uint32_t>, int64_t> together;
  for (const auto& [part, group] : in_part) {
    if (group.size() > kMostInPart) continue;
    for (size_t a = 0; a < group.size(); ++a) {
      for (size_t b = a + 1; b < group.size(); ++b) ++together[{group[a], group[b]}];
    }
  }
  std::vector<uint32_t> leader(tests.size());
  std::iota(leader.begin(), leader.end(), 0U);
  const auto leader_of = [&](uint32_t t) {
    while (leader[t] != t) t = leader[t];
    return t;
  };
  for (const auto& [pair, count] : together) {
    const auto [a, b] = pair;
    // Most failures of both tests, and at least two: a test that always fails does not count as company.
    if (count >= 2 && 2 * count >= std::max(failures[a], failures[b])) leader[leader_of(b)] = leader_of(a);
  }
  std::map<uint32_t, std::vector<TestId>> groups;
  for (uint32_t t = 0; t < tests.size(); ++t) groups[leader_of(t)].push_back(events.tests[tests[t]].test);
  std::vector<std::vector<TestId>> clusters;
  for (auto& [first, group] : groups) {
    if (group.size() < 2) continue;
    std::sort(group.begin(), group.end(), [&](TestId a, TestId b) { return index.tests[a] < index.tests[b]; });
    clusters.push_back(std::move(group));
  }
  std::sort(clusters.begin(), clusters.end(), [&](const auto& a, const auto& b) {
    return std::tuple(b.size(), index.tests[a.front()]) < std::tuple(a.size(), index.tests[b.front()]);
  });
  return clusters;
}

}  // namespace flaky
