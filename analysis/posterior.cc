// SPDX-License-Identifier: MIT
#include "analysis/posterior.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace flaky {
namespace {

constexpr double kSettled = 0.002;  // change of P(flaky)
constexpr double kJoinedDays = 2;
constexpr double kLeastSteps = 40;
constexpr char kNothing = 0;  // what was seen in a bin
constexpr char kPasses = 1;
constexpr char kFailure = 2;
constexpr float kCertainOutage = 0.97F;
constexpr double kMachineAgain = 0.3;
constexpr double kTestAgain = 0.3;
constexpr double kUnexplainedPass = 1e-3;
const double kNever = -1e30;

uint32_t CountedExecutions(const HistoryIndex::Part& part, const HistoryIndex::Failure& failure) {
  return part.roster == kNoIndex || failure.in_roster ? part.repetitions : 0;
}

double ShareFailed(const HistoryIndex::Part& part) {
  return static_cast<double>(part.failed) / std::max(1U, part.executed);
}

}  // namespace

void TestPosterior::Run(const TestEvents& test, std::span<const CodeEvent> events, std::span<const uint32_t> executions,
                        double share, std::span<const float> background, std::span<const float> outages,
                        std::span<Fault> faults, int rounds) {
  ChooseEvents(test, events, outages);
  MakeSteps(events, executions, outages);
  MakeCells(background, outages);
  RunTestChain(share);
  broken_now_ = 0;
  for (int round = 0; round < rounds && !cells_.empty(); ++round) {
    RunCodeChains();
    SendMessages();
    healthy_.clear();
    for (const PerState& state : chain_.posterior) healthy_.push_back(state[kNotFlaky]);
    RunTestChain(share);
    double change = 0;
    for (size_t i = 0; i < healthy_.size(); ++i) {
      change = std::max(change, std::abs(healthy_[i] - chain_.posterior[i][kNotFlaky]));
    }
    if (change < kSettled) break;
  }
  for (const CodeEvent& event : events) {
    for (uint32_t i = event.first_failure; i < event.first_failure + event.failures; ++i) {
      if (IsLeftOut(i, outages)) faults[i] = {.code = (1 - outages[index_.failures[i].part]) / 2, .test = 0};
    }
  }
  WriteFaults(background, outages, faults);
}

bool TestPosterior::IsLeftOut(uint32_t failure, std::span<const float> outages) const {
  return outages[index_.failures[failure].part] > kCertainOutage;
}

// An event all of whose failures are left out becomes part of the gap before the next one.
void TestPosterior::ChooseEvents(const TestEvents& test, std::span<const CodeEvent> events,
                                 std::span<const float> outages) {
  events_.clear();
  number_.clear();
  variants_.variants.clear();
  passed_after_ = test.passed_after;
  codes_after_ = test.codes_after > 0;
  VariantMask gap = 0;
  bool first_of_branch = true;
  for (const CodeEvent& event : events) {
    if (event.first_of_branch) {
      gap = 0;
      first_of_branch = true;
    }
    bool counts = false;
    for (uint32_t i = event.first_failure; i < event.first_failure + event.failures; ++i) {
      if (IsLeftOut(i, outages)) continue;
      counts = true;
      const uint16_t variant = index_.PartOf(index_.failures[i]).variant;
      auto& known = variants_.variants;
      if (known.size() < kMostVariants && variants_.StateOf(variant) == kCodeStates) known.push_back(variant);
    }
    gap |= event.gap;
    if (!counts) {
      gap |= event.passed;
      number_.push_back(kNoIndex);
      continue;
    }
    number_.push_back(static_cast<uint32_t>(events_.size()));
    CodeEvent& chosen = events_.emplace_back(event);
    chosen.gap = gap;
    chosen.first_of_branch = first_of_branch;
    for (; chosen.base_event != kNoIndex && number_[chosen.base_event] == kNoIndex;) {
      const CodeEvent& left_out = events[chosen.base_event];
      chosen.base_passed |= left_out.passed | left_out.gap;
      chosen.base_event = left_out.first_of_branch ? kNoIndex : chosen.base_event - 1;
    }
    if (chosen.base_event != kNoIndex) chosen.base_event = number_[chosen.base_event];
    gap = 0;
    first_of_branch = false;
  }
  // What comes after the last event of the default branch.
  for (size_t e = events.size(); e-- > 0;) {
    const HistoryIndex::Code& code = index_.codes[events[e].code];
    if (code.dirty || code.branch != index_.default_branch) continue;
    if (number_[e] != kNoIndex) break;
    passed_after_ |= events[e].passed | events[e].gap;
    codes_after_ = codes_after_ || events[e].passed != 0;
  }
}

void TestPosterior::MakeSteps(std::span<const CodeEvent> events, std::span<const uint32_t> executions,
                              std::span<const float> outages) {
  // First the executions of each bin, then those that failed are taken away.
  std::vector<int64_t>& passes = passes_by_bin_;
  passes.assign(executions.begin(), executions.end());
  std::vector<char>& seen = seen_in_bin_;
  seen.assign(executions.size(), kNothing);
  bool failed = false;
  for (const CodeEvent& event : events) {
    for (uint32_t i = event.first_failure; i < event.first_failure + event.failures; ++i) {
      const HistoryIndex::Failure& failure = index_.failures[i];
      const HistoryIndex::Part& part = index_.PartOf(failure);
      const uint32_t bin = bins_.Of(part.start);
      passes[bin] += int64_t{failure.passed} - CountedExecutions(part, failure);
      const bool counts = !IsLeftOut(i, outages);
      failed = failed || counts;
      seen[bin] = std::max(seen[bin], counts ? kFailure : kPasses);
    }
  }
  // Bins with passes only are joined, because nothing happens in them: some days, or all if there is no failure.
  const double most_days = failed ? std::min(kJoinedDays, bins_.DaysBetween(0, bins_.count) / kLeastSteps) : 1e9;
  std::fill(step_of_bin_.begin(), step_of_bin_.end(), kNoIndex);
  steps_.clear();
  std::vector<int64_t>& of_step = passes_of_step_;
  of_step.clear();
  uint32_t first_joined = kNoIndex;
  for (uint32_t bin = 0; bin < executions.size(); ++bin) {
    if (executions[bin] == 0 && seen[bin] == kNothing) continue;
    if (seen[bin] != kFailure && first_joined != kNoIndex && bins_.DaysBetween(first_joined, bin) <= most_days) {
      steps_.back().days += bins_.DaysBetween(steps_.back().bin, bin);
      steps_.back().bin = bin;
      of_step.back() += passes[bin];
    } else {
      const double days = steps_.empty() ? 0 : bins_.DaysBetween(steps_.back().bin, bin);
      steps_.push_back({.bin = bin, .days = days, .seen = {}});
      of_step.push_back(passes[bin]);
      first_joined = seen[bin] == kFailure ? kNoIndex : bin;
    }
    step_of_bin_[bin] = static_cast<uint32_t>(steps_.size() - 1);
  }
  passes_.resize(steps_.size());
  for (size_t i = 0; i < steps_.size(); ++i) {
    passes_[i].fill(1);
    SeePasses(passes_[i], static_cast<uint32_t>(std::clamp<int64_t>(of_step[i], 0, UINT32_MAX)));
  }
}

void TestPosterior::MakeCells(std::span<const float> background, std::span<const float> outages) {
  const auto& rates = Rates().rate;
  cells_.clear();
  products_.clear();
  first_cell_.clear();
  for (uint32_t e = 0; e < events_.size(); ++e) {
    first_cell_.push_back(static_cast<uint32_t>(cells_.size()));
    for (uint32_t i = events_[e].first_failure; i < events_[e].first_failure + events_[e].failures; ++i) {
      if (IsLeftOut(i, outages)) continue;
      const HistoryIndex::Failure& failure = index_.failures[i];
      const HistoryIndex::Part& part = index_.PartOf(failure);
      const uint32_t step = step_of_bin_[bins_.Of(part.start)];
      if (first_cell_.back() == cells_.size() || cells_.back().step != step) {
        Cell cell{.event = e,
                  .step = step,
                  .first_product = static_cast<uint32_t>(products_.size()),
                  .products = 0,
                  .first_failure = i,
                  .end_failure = i,
                  .message = {}};
        cell.message.fill(1);
        cells_.push_back(cell);
      }
      Cell& cell = cells_.back();
      cell.end_failure = i + 1;
      const auto begin = products_.begin() + cell.first_product;
      auto product = std::find_if(begin, products_.end(), [&](const Product& p) { return p.variant == part.variant; });
      if (product == products_.end()) {
        Product fresh{.variant = part.variant, .scale = 0, .q = {}};
        fresh.q.fill(1);
        product = products_.insert(products_.end(), fresh);
        ++cell.products;
      }
      // Attempts after a failed one, in one part, fail more often than others, whatever the cause.
      const double b = background[i];
      const uint32_t again = failure.failed - failure.Causes();
      const auto causes = static_cast<double>(failure.Causes());
      const double b_again = again == 0 ? b : b * std::pow(std::max(kMachineAgain, ShareFailed(part)), again);
      for (size_t r = 0; r < kRates; ++r) {
        double p = rates[r];
        if (again > 0) p *= std::pow(kTestAgain + (1 - kTestAgain) * p, again);
        const double q = b_again + p * (1 - b);
        product->q[r] *= causes == 1 ? q : std::pow(q, causes);
      }
      product->q[kNotFlaky] *= causes == 1 ? b_again : std::pow(b, causes);
      product->scale += Normalize(product->q);
    }
  }
  first_cell_.push_back(static_cast<uint32_t>(cells_.size()));
}

void TestPosterior::RunTestChain(double share) {
  for (size_t i = 0; i < steps_.size(); ++i) steps_[i].seen = passes_[i];
  for (const Cell& cell : cells_) {
    PerState& seen = steps_[cell.step].seen;
    for (size_t x = 0; x < kTestStates; ++x) seen[x] *= cell.message[x];
    Normalize(seen);
  }
  chain_.Run(model_, share, steps_);
}

PerState TestPosterior::Without(const Cell& cell) const {
  PerState belief = chain_.posterior[cell.step];
  double sum = 0;
  for (size_t x = 0; x < kTestStates; ++x) sum += belief[x] /= std::max(cell.message[x], 1e-300);
  const double scale = 1 / sum;
  for (double& value : belief) value *= scale;
  return belief;
}

double TestPosterior::Uncovered(const Cell& cell, size_t state, PerState& q) const {
  q.fill(1);
  double scale = 0;
  for (uint32_t i = cell.first_product; i < cell.first_product + cell.products; ++i) {
    if (variants_.Covers(state, products_[i].variant)) continue;
    scale += products_[i].scale;
    for (size_t x = 0; x < kTestStates; ++x) q[x] *= products_[i].q[x];
  }
  return scale;
}

size_t TestPosterior::SameAs(const Cell& cell, size_t state) const {
  if (state == kGood || state == kBrokenInAll) return state;
  size_t covered = 0;
  for (uint32_t i = cell.first_product; i < cell.first_product + cell.products; ++i) {
    covered += variants_.Covers(state, products_[i].variant) ? 1 : 0;
  }
  return covered == 0 ? kGood : covered == cell.products ? kBrokenInAll : state;
}

void TestPosterior::RunCodeChains() {
  const std::vector<CodeEvent>& events = events_;
  const size_t states = variants_.states();
  cell_logs_.resize(cells_.size());
  event_logs_.resize(events.size());
  PerState q;
  for (size_t e = 0; e < events.size(); ++e) {
    PerCodeState& logs = event_logs_[e];
    logs.fill(kNever);
    for (size_t s = 0; s < states; ++s) {
      logs[s] = variants_.Excludes(events[e].passed, s) ? events[e].passes * std::log(kUnexplainedPass) : 0;
    }
    for (uint32_t c = first_cell_[e]; c < first_cell_[e + 1]; ++c) {
      const PerState belief = Without(cells_[c]);
      auto& cell_logs = cell_logs_[c];
      for (size_t s = 0; s < states; ++s) {
        const size_t same = SameAs(cells_[c], s);
        if (same == kBrokenInAll) {
          cell_logs[s] = 0;
        } else if (same < s) {
          cell_logs[s] = cell_logs[same];
        } else {
          const double scale = Uncovered(cells_[c], s, q);
          double sum = 0;
          for (size_t x = 0; x < kTestStates; ++x) sum += belief[x] * q[x];
          cell_logs[s] = std::log(std::max(sum, 1e-300)) + scale;
        }
        logs[s] += cell_logs[s];
      }
    }
  }
  code_prior_.resize(events.size());
  code_posterior_.resize(events.size());
  code_log_prior_.resize(events.size());
  newly_broken_.resize(events.size());
  for (size_t begin = 0; begin < events.size();) {
    size_t end = begin + 1;
    while (end < events.size() && !events[end].first_of_branch) ++end;
    RunBranch(begin, end);
    begin = end;
  }
  // The default branch comes first.
  broken_now_ = 0;
  size_t last = events.size();
  for (size_t e = 0; e < events.size(); ++e) {
    const HistoryIndex::Code& code = index_.codes[events[e].code];
    if (!code.dirty && code.branch == index_.default_branch) last = e;
  }
  if (last < events.size()) {
    const CodeChain chain(model_, variants_);
    broken_now_ = 1 - chain.After(code_posterior_[last], passed_after_, codes_after_)[kGood];
  }
}

PerCodeState TestPosterior::BaseState(const CodeEvent& event) const {
  PerCodeState good{};
  good[kGood] = 1;
  if (event.base_event == kNoIndex) return good;
  return CodeChain(model_, variants_).After(code_posterior_[event.base_event], event.base_passed, false);
}

void TestPosterior::RunBranch(size_t begin, size_t end) {
  const std::vector<CodeEvent>& events = events_;
  std::vector<CodeChain::Step>& steps = branch_steps_;
  steps.clear();
  const bool dirty = index_.codes[events[begin].code].dirty;
  for (size_t e = begin; e < end; ++e) {
    CodeChain::Step step{.gap = events[e].gap, .break_prior = events[e].break_prior, .enters = {}, .seen = {}};
    if (dirty) step.break_prior = std::max(step.break_prior, model_.dirty_broken);
    if (events[e].base_event != kNoIndex && (e > begin || events[e].gap != 0)) {
      const PerCodeState base = BaseState(events[e]);
      for (size_t s = 1; s < kCodeStates; ++s) {
        step.enters[s] = base[s] * (events[e].base_known ? 1 : model_.base_moves);
      }
    }
    const PerCodeState& logs = event_logs_[e];
    const auto end_of_states = logs.begin() + static_cast<std::ptrdiff_t>(variants_.states());
    const double most = *std::max_element(logs.begin(), end_of_states);
    for (size_t s = 0; s < variants_.states(); ++s) {
      step.seen[s] = logs[s] == most ? 1 : std::exp(std::max(logs[s] - most, -600.0));
    }
    steps.push_back(step);
  }
  CodeChain& chain = code_chain_;
  chain.Run(BaseState(events[begin]), steps);
  for (size_t e = begin; e < end; ++e) {
    code_prior_[e] = chain.prior[e - begin];
    code_posterior_[e] = chain.posterior[e - begin];
    for (size_t s = 0; s < variants_.states(); ++s) {
      code_log_prior_[e][s] = std::log(std::max(code_prior_[e][s], 1e-300));
    }
    const double before =
        e > begin && events[e].gap == 0 ? 1 - code_posterior_[e - 1][kGood] : 1 - BaseState(events[e])[kGood];
    newly_broken_[e] = std::max(0.0, 1 - code_posterior_[e][kGood] - before);
  }
}

void TestPosterior::SendMessages() {
  const size_t states = variants_.states();
  std::array<PerState, kCodeStates> q;
  std::array<double, kCodeStates> logs;
  for (size_t c = 0; c < cells_.size(); ++c) {
    Cell& cell = cells_[c];
    double most = -1e300;
    std::array<size_t, kCodeStates> same;
    std::array<double, kCodeStates> scale{};
    for (size_t s = 0; s < states; ++s) {
      // What the other cells of the code and the other codes say of the code, and the passes on it.
      same[s] = SameAs(cell, s);
      if (same[s] == s && s != kBrokenInAll) scale[s] = Uncovered(cell, s, q[s]);
      logs[s] = code_prior_[cell.event][s] > 0
                    ? code_log_prior_[cell.event][s] + event_logs_[cell.event][s] - cell_logs_[c][s] + scale[same[s]]
                    : kNever;
      most = std::max(most, logs[s]);
    }
    std::array<double, kCodeStates> weight{};
    for (size_t s = 0; s < states; ++s) {
      if (logs[s] > most - 60) weight[same[s]] += std::exp(logs[s] - most);
    }
    cell.message.fill(std::max(weight[kBrokenInAll], 1e-200));
    for (size_t s = 0; s < states; ++s) {
      if (weight[s] == 0 || s == kBrokenInAll) continue;
      for (size_t x = 0; x < kTestStates; ++x) cell.message[x] += weight[s] * q[s][x];
    }
    Normalize(cell.message);
  }
}

void TestPosterior::WriteFaults(std::span<const float> background, std::span<const float> outages,
                                std::span<Fault> faults) const {
  const auto& rates = Rates().rate;
  PerState q;
  for (const Cell& cell : cells_) {
    PerState belief = Without(cell);
    const auto known = static_cast<float>(Flaky(belief));
    Uncovered(cell, kGood, q);
    double sum = 0;
    for (size_t x = 0; x < kTestStates; ++x) sum += belief[x] *= q[x];
    for (uint32_t i = cell.first_failure; i < cell.end_failure; ++i) {
      if (IsLeftOut(i, outages)) continue;
      const uint16_t variant = index_.PartOf(index_.failures[i]).variant;
      double code = 0;
      for (size_t s = 0; s < variants_.states(); ++s) {
        if (variants_.Covers(s, variant)) code += code_posterior_[cell.event][s];
      }
      const double b = background[i];
      double by_test = 0;
      for (size_t r = 0; r < kRates; ++r) by_test += belief[r] * rates[r] / (b + rates[r] * (1 - b));
      faults[i].known = known;
      faults[i].code = static_cast<float>(code);
      faults[i].test = static_cast<float>((1 - code) * std::min(1.0, by_test / sum));
    }
  }
}

}  // namespace flaky
