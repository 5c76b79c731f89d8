// SPDX-License-Identifier: MIT
#include "analysis/judge.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "analysis/code_events.h"
#include "analysis/common_causes.h"
#include "analysis/decide.h"
#include "analysis/executions.h"
#include "analysis/history_index.h"
#include "analysis/posterior.h"

namespace flaky {
namespace {

constexpr int kPasses = 3;             // how often common causes and tests are computed, one after the other
constexpr double kTestsAssumed = 100;  // how many tests the model's share of flaky ones weighs
constexpr size_t kBlock = 4096;        // tests whose executions are counted at once

}  // namespace

class Judge::Impl {
 public:
  explicit Impl(const Model& given) : model(given) {}

  Judgement Decide(const JudgeOptions& options);
  std::vector<CodeEvidence> Explain(TestId test) const;
  std::vector<Attribution> Attribute(RunIndex run) const;
  std::vector<int64_t> CountExecutions() const;

  Model model;
  HistoryIndex index;

 private:
  // Of the last Decide():
  std::optional<CodeEvents> events_;
  std::optional<CommonCauses> causes_;
  TimeBins bins_;
  int64_t at_ = 0;
  std::vector<Fault> faults_;
  std::vector<float> p_flaky_;       // of each event
  std::vector<uint32_t> number_of_;  // of each test in events_->tests; kNoIndex if it never failed
};

Judge::Judge(const Model& model) : impl_(std::make_unique<Impl>(model)) {}
Judge::~Judge() = default;
Judge::Judge(Judge&&) noexcept = default;
Judge& Judge::operator=(Judge&&) noexcept = default;

TestId Judge::AddTest(const TestIdentity& test) { return impl_->index.AddTest(test); }
RosterIndex Judge::AddRoster(std::span<const TestId> tests) { return impl_->index.AddRoster(tests); }
RunIndex Judge::AddRun(const RunEvidence& run) { return impl_->index.AddRun(run); }
void Judge::AddPart(const PartEvidence& part) { impl_->index.AddPart(part); }
std::span<const TestIdentity> Judge::tests() const { return impl_->index.tests; }
bool Judge::IsInRoster(RosterIndex roster, TestId test) const { return impl_->index.rosters[roster].Contains(test); }
Judgement Judge::Decide(const JudgeOptions& options) { return impl_->Decide(options); }
std::vector<CodeEvidence> Judge::Explain(TestId test) const { return impl_->Explain(test); }
std::vector<int64_t> Judge::CountExecutions() const { return impl_->CountExecutions(); }
std::vector<Attribution> Judge::Attribute(RunIndex run) const { return impl_->Attribute(run); }

Judgement Judge::Impl::Decide(const JudgeOptions& options) {
  index.Sort(options.at.micros, options.default_branch);
  causes_.reset();
  CodeEvents& events = events_.emplace(index);
  const TimeBins& bins = bins_ = CutTime(index);
  CommonCauses& causes = causes_.emplace(index, model, events);
  at_ = options.at.micros;
  const size_t counted = events.events.empty() ? 0 : events.events.back().first_failure + events.events.back().failures;
  faults_.assign(counted, {});
  std::vector<float> background(counted);
  std::vector<double> newly_broken;
  causes.StartFaults(faults_);
  p_flaky_.assign(events.events.size(), 0);
  number_of_.assign(index.tests.size(), kNoIndex);
  for (uint32_t i = 0; i < events.tests.size(); ++i) number_of_[events.tests[i].test] = i;

  // Tests in ascending order of their ids, because their executions are counted in blocks.
  std::vector<uint32_t> by_id(events.tests.size());
  for (uint32_t i = 0; i < by_id.size(); ++i) by_id[i] = i;
  std::sort(by_id.begin(), by_id.end(),
            [&](uint32_t a, uint32_t b) { return events.tests[a].test < events.tests[b].test; });

  double share = model.share_flaky;
  std::vector<double> flaky_ever(events.tests.size());
  std::vector<TestVerdict> verdicts(events.tests.size());
  TestPosterior posterior(index, model, bins);
  const Decider decider(index, model, bins, events, causes, options.at.micros);
  for (int pass = 0; pass < kPasses; ++pass) {
    causes.Update(faults_, newly_broken, background);
    newly_broken.assign(events.events.size(), 0);
    for (size_t begin = 0; begin < by_id.size(); begin += kBlock) {
      const size_t end = std::min(by_id.size(), begin + kBlock);
      std::vector<TestId> ids;
      for (size_t i = begin; i < end; ++i) ids.push_back(events.tests[by_id[i]].test);
      const ExecutionsByBin executions(index, bins, ids);
      for (size_t i = begin; i < end; ++i) {
        const TestEvents& test = events.tests[by_id[i]];
        posterior.Run(test, events.Of(test), executions.Of(i - begin), share, background, causes.outages(), faults_,
                      pass + 1);
        for (uint32_t e = 0; e < test.events; ++e) newly_broken[test.first_event + e] = posterior.NewlyBroken(e);
        double most = 0;
        for (const PerState& state : posterior.flaky()) most = std::max(most, Flaky(state));
        flaky_ever[by_id[i]] = most;
        if (pass == kPasses - 1) {
          for (uint32_t e = test.first_event; e < test.first_event + test.events; ++e) {
            const HistoryIndex::Failure& failure = index.failures[events.events[e].first_failure];
            const uint32_t step = posterior.StepOf(bins.Of(index.PartOf(failure).start));
            p_flaky_[e] = static_cast<float>(Flaky(posterior.flaky()[step]));
          }
          verdicts[by_id[i]] = decider.Decide(test, posterior, executions.Of(i - begin), faults_);
        }
      }
    }
    double flaky = 0;
    for (const double probability : flaky_ever) flaky += probability;
    share = (model.share_flaky * kTestsAssumed + flaky) / (kTestsAssumed + static_cast<double>(index.tests.size()));
    share = std::min(share, 0.3);
  }
  return decider.Finish(std::move(verdicts), faults_);
}

std::vector<CodeEvidence> Judge::Impl::Explain(TestId test) const {
  if (!events_ || test >= number_of_.size() || number_of_[test] == kNoIndex) return {};
  return Decider(index, model, bins_, *events_, *causes_, at_)
      .Explain(events_->tests[number_of_[test]], faults_, p_flaky_);
}

std::vector<int64_t> Judge::Impl::CountExecutions() const {
  std::vector<int64_t> counts(index.tests.size());
  TimeBins one = bins_;
  one.count = 1;
  for (size_t begin = 0; begin < counts.size(); begin += kBlock) {
    std::vector<TestId> ids(std::min(kBlock, counts.size() - begin));
    std::iota(ids.begin(), ids.end(), static_cast<TestId>(begin));
    const ExecutionsByBin executions(index, one, ids);
    for (size_t i = 0; i < ids.size(); ++i) counts[begin + i] = executions.Of(i).front();
  }
  return counts;
}

std::vector<Attribution> Judge::Impl::Attribute(RunIndex run) const {
  std::vector<Attribution> found;
  for (size_t i = 0; i < faults_.size(); ++i) {
    const HistoryIndex::Failure& failure = index.failures[i];
    const HistoryIndex::Part& part = index.PartOf(failure);
    if (part.run != run) continue;
    found.push_back({.test = failure.test,
                     .run = run,
                     .part_id = std::string(index.Text(part.part_id)),
                     .p_code = faults_[i].code,
                     .p_test = faults_[i].test,
                     .p_machine = faults_[i].machine()});
  }
  return found;
}

}  // namespace flaky
