// SPDX-License-Identifier: MIT
#include "analysis/common_causes.h"

#include <algorithm>
#include <cmath>

#include "analysis/coincidence.h"

namespace flaky {
namespace {

constexpr double kPartsAssumed = 200;  // how many parts or codes the defaults of the model weigh
constexpr double kNoOutage = 0.05;
constexpr float kLeastBackground = 1e-7F;

// The probability of a hit, for a count of others between total - 1 and total: interpolated, since it is needed for
// each failure.
struct HitTable {
  HitTable(CommonCauseOdds& odds, double total, double size, double elsewhere)
      : high(odds.Hit(total, size, elsewhere)),
        ratio(std::log(odds.Hit(std::max(0.0, total - 1), size, elsewhere) / high)) {}
  double Without(double own) const { return high * std::exp(ratio * own); }
  double high;
  double ratio;
};

}  // namespace

CommonCauses::CommonCauses(const HistoryIndex& index, const Model& model, CodeEvents& events)
    : index_(index),
      model_(model),
      events_(events),
      trouble_share_(model.trouble_share),
      break_share_(model.break_share) {
  for (const uint32_t suite : index.suite) {
    if (suite >= suite_size_.size()) suite_size_.resize(suite + 1);
    ++suite_size_[suite];
  }
}

void CommonCauses::StartFaults(std::span<Fault> faults) const {
  std::vector<uint32_t> failed;
  for (const uint32_t part : index_.order) failed.push_back(index_.parts[part].failed);
  if (failed.empty()) return;
  const auto middle = failed.begin() + static_cast<std::ptrdiff_t>(failed.size() / 2);
  std::nth_element(failed.begin(), middle, failed.end());
  const uint32_t usual = 4 + 4 * *middle;
  for (const TestEvents& test : events_.tests) {
    float codes = 0;
    for (const CodeEvent& event : events_.Of(test)) {
      bool alone = false;
      for (uint32_t i = event.first_failure; i < event.first_failure + event.failures; ++i) {
        alone = alone || index_.PartOf(index_.failures[i]).failed <= usual;
      }
      codes += alone ? 1 : 0;
    }
    const float unexplained = 0.5F / (1 + 0.5F * std::max(0.0F, codes - 1));
    for (const CodeEvent& event : events_.Of(test)) {
      for (uint32_t i = event.first_failure; i < event.first_failure + event.failures; ++i) {
        faults[i] = {.code = unexplained / 2, .test = 1 - unexplained, .known = codes > 1 ? 1.0F : 0.0F};
      }
    }
  }
}

void CommonCauses::Update(std::span<const Fault> faults, std::span<const double> newly_broken,
                          std::span<float> background) {
  Count(faults);
  if (!newly_broken.empty()) EstimateShares(faults, newly_broken);
  machine_.emplace(Machine());
  commit_.emplace(Commit());
  CountMachines();
  outage_.assign(index_.parts.size(), 0);
  for (const uint32_t part : index_.order) {
    if (in_part_[part] < 4) continue;
    outage_[part] = static_cast<float>(machine_->Many(in_part_[part], index_.parts[part].executed, ByCommit(part)));
  }
  UpdateMachines(faults, background);
  UpdateCommits();
}

void CommonCauses::Count(std::span<const Fault> faults) {
  in_part_.assign(index_.parts.size(), 0);
  in_part_by_code_.assign(index_.parts.size(), 0);
  on_code_.assign(index_.codes.size(), 0);
  in_suite_.assign(events_.suite_groups, 0);
  own_.resize(events_.events.size());
  for (size_t e = 0; e < own_.size(); ++e) {
    const CodeEvent& event = events_.events[e];
    float most = 0;
    for (uint32_t i = event.first_failure; i < event.first_failure + event.failures; ++i) {
      const float unexplained = faults[i].Unexplained();
      // A test that passed on this code may be the code's fault only as far as the last posterior says so.
      const float by_code = event.passed == 0 ? unexplained : faults[i].code;
      most = std::max(most, by_code);
      in_part_[index_.failures[i].part] += unexplained;
      in_part_by_code_[index_.failures[i].part] += by_code;
    }
    own_[e] = most;
    on_code_[event.code] += most;
    in_suite_[event.suite_group] += most;
  }
  EstimateStray(faults);
}

// Failures of flaky tests that are not known as such from elsewhere. A test that never failed before may be one, the
// less probably, the more often it passed.
void CommonCauses::EstimateStray(std::span<const Fault> faults) {
  double in_parts = 0;
  double on_codes = 0;
  for (size_t e = 0; e < own_.size(); ++e) {
    const CodeEvent& event = events_.events[e];
    float uncertain = 0;
    for (uint32_t i = event.first_failure; i < event.first_failure + event.failures; ++i) {
      const float stray = faults[i].test * (1 - faults[i].known);
      in_parts += stray;
      if (event.passed == 0) uncertain = std::max(uncertain, stray);
    }
    on_codes += uncertain;
  }
  double executed = 0;
  for (const uint32_t number : index_.order) executed += index_.parts[number].executed;
  double tests = 0;
  for (const uint32_t code : index_.line) tests += index_.codes[code].size;
  const double passes = executed / static_cast<double>(std::max<size_t>(1, index_.tests.size()));
  double first = 0;  // the probability that an execution is the first failure of a flaky test
  for (size_t i = 0; i < kRates; ++i) {
    first += Rates().prior[i] * Rates().rate[i] * std::exp(passes * std::log1p(-Rates().rate[i]));
  }
  stray_in_part_ = model_.share_flaky * first + in_parts / std::max(1.0, executed);
  stray_on_code_ = model_.share_flaky * first + on_codes / std::max(1.0, tests);
}

// An outage mostly hits all parts of a run, so that the parts of a run prove little more than one.
void CommonCauses::CountMachines() {
  constexpr double kOtherPart = 0.9;
  std::vector<double> of_run(index_.runs.size(), 0);
  for (const uint32_t number : index_.order) {
    if (in_part_by_code_[number] < 0.5F) continue;
    const HistoryIndex::Part& part = index_.parts[number];
    double hits = machine_->Hits(in_part_by_code_[number], part.executed);
    // Tests that failed here and passed elsewhere on this code prove an outage, and that may have hit the others too.
    const double proof = machine_->Many(in_part_[number] - in_part_by_code_[number], part.executed, 0);
    hits += proof / std::max(50.0, static_cast<double>(part.executed));
    double& run = of_run[part.run];
    run = run == 0 ? hits : std::min(run, hits) * kOtherPart;
  }
  by_machines_.assign(index_.codes.size(), 0);
  for (size_t run = 0; run < of_run.size(); ++run) {
    if (of_run[run] == 0) continue;
    double& code = by_machines_[index_.runs[run].code];
    code = code == 0 ? of_run[run] : code * of_run[run];
  }
}

// The shares of troubled parts and of breaking commits are those of this history, as far as it is long enough.
void CommonCauses::EstimateShares(std::span<const Fault> faults, std::span<const double> newly_broken) {
  std::vector<float> machine(index_.parts.size());
  for (size_t i = 0; i < faults.size(); ++i) machine[index_.failures[i].part] += faults[i].machine();
  double troubled = 0;
  for (const float hits : machine) troubled += hits > 4 ? 0 : std::min(1.0F, hits);
  const auto parts = static_cast<double>(index_.order.size());
  trouble_share_ = (model_.trouble_share * kPartsAssumed + troubled) / (kPartsAssumed + parts);

  std::vector<float> breaks(index_.codes.size());
  for (size_t e = 0; e < own_.size(); ++e) breaks[events_.events[e].code] += static_cast<float>(newly_broken[e]);
  double broke = 0;
  double codes = 0;
  for (const uint32_t code : index_.line) {
    if (index_.codes[code].dirty) continue;
    broke += std::min(1.0F, breaks[code]);
    codes += 1;
  }
  break_share_ = std::min(0.9, (model_.break_share * kPartsAssumed + broke) / (kPartsAssumed + codes));
}

CommonCause CommonCauses::Machine() const {
  return {.few = trouble_share_,
          .tests = model_.trouble_tests,
          .many = model_.outage_share,
          .least = model_.outage_least,
          .stray = stray_in_part_,
          .together = model_.together};
}

CommonCause CommonCauses::Commit() const {
  const double few = std::max(0.0, 1 - model_.break_suite - model_.break_crowd);
  return {.few = break_share_ * few,
          .tests = model_.break_tests,
          .many = break_share_ * model_.break_crowd,
          .least = model_.outage_least,
          .mostly_small = true,
          .stray = stray_on_code_,
          .together = model_.together};
}

double CommonCauses::ByCommit(uint32_t part) const {
  const float hits = in_part_[part];
  if (hits < 0.5F) return 0;
  const double share = std::min(1.0F, in_part_by_code_[part] / hits);
  return commit_->Hits(hits, index_.parts[part].executed) * share * share * share;
}

void CommonCauses::UpdateMachines(std::span<const Fault> faults, std::span<float> background) const {
  std::vector<HitTable> tables;
  std::vector<uint32_t> table_of(index_.parts.size(), kNoIndex);
  for (size_t i = 0; i < faults.size(); ++i) {
    const HistoryIndex::Failure& failure = index_.failures[i];
    uint32_t& table = table_of[failure.part];
    if (table == kNoIndex) {
      table = static_cast<uint32_t>(tables.size());
      tables.emplace_back(*machine_, in_part_[failure.part], index_.parts[failure.part].executed,
                          ByCommit(failure.part));
    }
    double b = tables[table].Without(faults[i].Unexplained());
    // An outage hits all parts of a run: if it failed the test in one of them, it is there in the next one, too.
    if (i > 0 && index_.failures[i - 1].test == failure.test &&
        index_.PartOf(index_.failures[i - 1]).run == index_.PartOf(failure).run) {
      const double outage = Outage(failure.part);
      if (outage > kNoOutage) b = std::min(0.995, b / outage);
    }
    if (failure.killed) b = std::max(b, model_.killed);
    background[i] = std::max(kLeastBackground, static_cast<float>(b));
  }
}

void CommonCauses::UpdateCommits() {
  std::vector<HitTable> tables;
  std::vector<uint32_t> table_of(index_.codes.size(), kNoIndex);
  for (const TestEvents& test : events_.tests) {
    const double suite_size = suite_size_[index_.suite[test.test]];
    for (size_t e = test.first_event; e < test.first_event + test.events; ++e) {
      CodeEvent& event = events_.events[e];
      const double size = index_.codes[event.code].size;
      uint32_t& table = table_of[event.code];
      if (table == kNoIndex) {
        table = static_cast<uint32_t>(tables.size());
        tables.emplace_back(*commit_, on_code_[event.code], size, by_machines_[event.code]);
      }
      const double base = tables[table].Without(own_[e]);
      double by_suite = 0;
      if (suite_size >= 3) {
        const double others = std::max(0.0F, in_suite_[event.suite_group] - own_[e]);
        const double rest = std::max(0.0, suite_size - 1 - others);
        const double elsewhere = std::max(0.0F, on_code_[event.code] - own_[e]);
        const double rate = std::min(0.9, (elsewhere + 0.2) / std::max(200.0, size));
        const double prior = break_share_ * model_.break_suite * std::min(1.0, suite_size / std::max(size, suite_size));
        const double odds = prior * std::exp(others * std::log(0.95 / rate) + rest * std::log(0.05 / (1 - rate)));
        by_suite = odds / (1 + odds);
      }
      event.break_prior = static_cast<float>(std::min(0.95, by_suite * 0.95 + (1 - by_suite) * base));
    }
  }
}

}  // namespace flaky
