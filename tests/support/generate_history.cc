// SPDX-License-Identifier: MIT
#include "tests/support/generate_history.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "history/merge.h"
#include "history/part_tests.h"

namespace flaky {
namespace {

// SplitMix64: small, fast, and the same on every platform, unlike the standard's distributions.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // 0 … below - 1.
  uint64_t Below(uint64_t below) { return Next() % below; }
  double Fraction() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  bool Chance(double probability) { return Fraction() < probability; }

  std::string Hex() {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (int half = 0; half < 2; ++half) {
      for (uint64_t word = Next(), i = 0; i < 16; ++i, word >>= 4) text += kDigits[word & 15];
    }
    return text;
  }

  template <typename Items>
  const auto& OneOf(const Items& items) {
    return items[Below(items.size())];
  }

 private:
  uint64_t state_;
};

constexpr std::array<std::string_view, 12> kSuites = {"Parser",   "Scheduler", "Cache",   "HttpClient",
                                                      "Renderer", "Config",    "Index",   "Replica",
                                                      "Router",   "Session",   "Storage", "Clock"};
constexpr std::array<std::string_view, 12> kVerbs = {"Reads",   "Keeps",   "Refuses", "Restores", "Orders",  "Merges",
                                                     "Expires", "Retries", "Closes",  "Escapes",  "Rejects", "Counts"};
constexpr std::array<std::string_view, 10> kThings = {"EmptyInput", "LongNames", "TheOldest", "Duplicates", "Utf8",
                                                      "BadHeaders", "Locks",     "Timeouts",  "LastEntry",  "Holes"};
constexpr std::array<std::string_view, 5> kVariants = {"release", "debug", "asan", "tsan", "ubsan"};
constexpr std::array<std::string_view, 4> kBranches = {"main", "main", "release/2.1", "fix/ordering"};
constexpr std::array<std::string_view, 8> kWords = {"value",   "expected", "but was",   "after waiting",
                                                    "for the", "callback", "\"naïve\"", "in frame"};
constexpr double kPassingRuns = 0.55;
constexpr int64_t kFlakyTests = 40;
constexpr size_t kRosters = 8;

struct Test {
  std::string name;
  std::string file;
  int64_t line;
};

Test MakeTest(int64_t number) {
  const auto pick = [&](const auto& list, int64_t by) { return list[static_cast<size_t>(number / by) % list.size()]; };
  const std::string suite(pick(kSuites, 1));
  std::string lower = suite;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  Test test;
  test.name = suite + "Test." + std::string(pick(kVerbs, 12)) + std::string(pick(kThings, 144));
  if (number >= 1440) test.name += std::to_string(number / 1440);
  test.file = "src/" + lower + "/" + lower + "_test.cc";
  test.line = 20 + number / 12 * 15;
  return test;
}

}  // namespace

class HistoryGenerator::Impl {
 public:
  explicit Impl(const HistoryShape& shape) : shape_(shape), random_(shape.seed) {
    for (int64_t i = 0; i < shape.tests; ++i) tests_.push_back(MakeTest(i));
    // Rosters change when tests are added, so later rosters have more tests.
    for (size_t i = 0; i < kRosters; ++i) {
      ProgramTests entries;
      const size_t size = tests_.size() - tests_.size() * (kRosters - 1 - i) / (kRosters * 10);
      for (size_t t = 0; t < size; ++t) entries[tests_[t].name] = {{1, t % 97 == 0 ? 1 : 0}, DurationOf(t)};
      Shared& shared = rosters_.emplace_back();
      shared.rosters = SetPartTests(shared.part, {{"engine_test", entries}});
    }
    std::vector<std::string>& names = registered_["engine_test"];
    for (const Test& test : tests_) names.push_back(test.name);
    std::sort(names.begin(), names.end());
    for (size_t i = 0; i < 64; ++i) {
      commits_.push_back({random_.Hex().substr(0, 32) + "00000000", random_.Hex().substr(0, 32) + "11111111"});
    }
  }

  std::optional<RunRecord> Next() {
    if (done_ == shape_.runs) return std::nullopt;
    RunRecord record;
    Run& run = record.run;
    run.run_id = random_.Hex();
    const std::string& project =
        shape_.projects[std::min(random_.Below(shape_.projects.size()), random_.Below(shape_.projects.size()))];
    if (!project.empty()) run.project = project;
    const bool npm = random_.Chance(shape_.npm_share);
    FillFacts(run, npm);

    const size_t failures = FailureCount();
    const bool died = random_.Chance(0.005);
    const Timestamp started = StartTime(npm);
    if (npm) {
      run.account = MakeAccount(started, failures, died, true);
    } else {
      Part part;
      part.part_id = random_.Hex();
      part.account = MakeAccount(started, failures, died, false);
      part.variant = random_.OneOf(kVariants);
      part.host = "ci-" + std::to_string(done_ % 7);
      part.planned_tests = shape_.tests;
      const Shared& shared = rosters_[static_cast<size_t>(done_) * kRosters / static_cast<size_t>(shape_.runs)];
      if (shape_.most_selected > 0) {
        record.rosters = SetPartTests(part, SomeTests(), registered_);
      } else {
        part.roster_id = shared.part.roster_id;
        part.executions = shared.part.executions;
        part.durations = shared.part.durations;
        record.rosters = shared.rosters;
      }
      record.parts.push_back(std::move(part));
      SumParts(record);
    }
    for (size_t i = 0; i < failures; ++i) AddFailure(record, started, npm);
    ++done_;
    return record;
  }

 private:
  Timestamp StartTime(bool npm) {
    const int64_t span = shape_.days * kMicrosPerDay;
    const int64_t step = span / shape_.runs;
    const int64_t offset = done_ * step + static_cast<int64_t>(random_.Below(static_cast<uint64_t>(step / 2 + 1)));
    const Timestamp time = shape_.end - span + offset;
    return npm ? Timestamp{time.micros / 1000 * 1000} : time;
  }

  // More than half of the runs pass. The number of failures of the other runs has a long tail.
  size_t FailureCount() {
    if (random_.Chance(kPassingRuns)) return 0;
    const double mean = shape_.failures_per_run / (1 - kPassingRuns);
    if (mean <= 0) return 0;
    size_t count = mean >= 1 ? 1 : random_.Chance(mean);
    while (count > 0 && count < 1000 && random_.Chance(1 - 1 / std::max(mean, 1.0))) ++count;
    return count;
  }

  void FillFacts(Run& run, bool npm) {
    const auto& [sha, tree] = commits_[static_cast<size_t>(done_) / 5 % commits_.size()];
    run.git_sha = sha;
    run.git_dirty = random_.Chance(0.1);
    if (npm) {
      run.runtime_version = "bun 1.2.3";
      return;
    }
    run.tree_sha = tree;
    run.commit_at = shape_.end - kMicrosPerDay * shape_.days + done_ / 5 * 600 * kMicrosPerSecond;
    run.merge_base = commits_.front().first;
    if (run.git_dirty.value_or(false)) run.edited_tree = tree.substr(0, 36) + "dddd";
    run.branch = random_.OneOf(kBranches);
    run.runtime_version = "GCC 12.2.0, Linux 6.1.0 x86_64";
    if (random_.Chance(0.2)) run.test_args = "--gtest_shuffle --gtest_repeat=2";
    if (random_.Chance(0.5)) run.ci_url = "https://ci.example.org/jobs/" + std::to_string(100'000 + done_);
  }

  Account MakeAccount(Timestamp started, size_t failures, bool died, bool npm) {
    Account account;
    account.started_at = started;
    if (died) return account;
    const int64_t millis = 2000 + static_cast<int64_t>(random_.Below(120'000));
    const int64_t failed = std::min(static_cast<int64_t>(failures), shape_.tests);
    account.ended_at = started + millis * 1000 + (npm ? 0 : static_cast<int64_t>(random_.Below(1000)));
    account.duration_ms = millis;
    account.status = failures == 0 ? kPass : kFail;
    account.total_tests = shape_.tests;
    account.failed_tests = failed;
    account.passed_tests = shape_.tests - failed;
    account.errors_between_tests = 0;
    return account;
  }

  void AddFailure(RunRecord& record, Timestamp started, bool npm) {
    // Half of the failures belong to a few flaky tests; the rest are spread over all tests.
    const bool flaky = random_.Chance(0.5);
    const int64_t among = flaky ? std::min(kFlakyTests, shape_.tests) : shape_.tests;
    const Test& test =
        tests_[random_.Below(static_cast<uint64_t>(among)) * (flaky ? tests_.size() / static_cast<size_t>(among) : 1)];
    Failure failure;
    failure.test_file = test.file;
    failure.test_name = test.name;
    failure.failure_kind = random_.Chance(0.9) ? kAssertion : random_.Chance(0.7) ? kUncaught : kTimeout;
    failure.error_message = Message(test);
    if (random_.Chance(0.3)) failure.error_stack = "#0 " + test.name + "\n#1 testing::Test::Run()\n#2 main";
    failure.duration_ms = static_cast<int64_t>(random_.Below(5000));
    failure.failed_at = started + static_cast<int64_t>(random_.Below(2'000'000)) / (npm ? 1000 : 1) * (npm ? 1000 : 1);
    if (!npm) {
      failure.part_id = record.parts.front().part_id;
      failure.line = test.line + 3;
      failure.attempt = 0;
      failure.program = "engine_test";
      if (test.line % 4 == 0) failure.parameter = std::to_string(test.line);
      if (random_.Chance(0.3)) failure.shuffle_seed = static_cast<int64_t>(random_.Below(100'000));
      if (random_.Chance(0.5)) failure.preceding_test = random_.OneOf(tests_).name;
      if (failure.failure_kind == kUncaught) failure.signal = "SIGSEGV";
    }
    record.failures.push_back(std::move(failure));
  }

  std::string Message(const Test& test) {
    const size_t size = shape_.min_message + random_.Below(shape_.max_message - shape_.min_message + 1);
    std::string text = test.file + ":" + std::to_string(test.line + 3) + ": Failure\n";
    text.reserve(size + 32);
    while (text.size() < size) {
      text += random_.OneOf(kWords);
      text += ' ';
      text += std::to_string(random_.Below(100'000));
      text += random_.Chance(0.15) ? '\n' : ' ';
    }
    while (text.size() > size || (static_cast<unsigned char>(text.back()) & 0x80) != 0) text.pop_back();
    return text;
  }

  HistoryShape shape_;
  Random random_;
  std::vector<Test> tests_;
  // From 5 microseconds to 5 seconds, as many in each decade.
  static int64_t DurationOf(size_t test) { return std::llround(5 * std::pow(10.0, 6e-3 * (test * 37 % 1000))); }

  PartTests SomeTests() {
    const double share =
        shape_.least_selected + (shape_.most_selected - shape_.least_selected) * random_.Below(1000) / 1000.0;
    PartTests programs;
    for (size_t t = 0; t < tests_.size(); ++t) {
      if (random_.Chance(share)) programs["engine_test"][tests_[t].name] = {{1, 0}, DurationOf(t)};
    }
    return programs;
  }

  RegisteredTests registered_;
  struct Shared {
    Part part;  // of which only the texts about tests are set
    std::vector<RosterPtr> rosters;
  };
  std::vector<Shared> rosters_;
  std::vector<std::pair<std::string, std::string>> commits_;
  int64_t done_ = 0;
};

HistoryGenerator::HistoryGenerator(const HistoryShape& shape) : impl_(std::make_unique<Impl>(shape)) {}
HistoryGenerator::~HistoryGenerator() = default;
std::optional<RunRecord> HistoryGenerator::Next() { return impl_->Next(); }

std::vector<RunRecord> GenerateHistory(const HistoryShape& shape) {
  HistoryGenerator generator(shape);
  std::vector<RunRecord> records;
  while (auto record = generator.Next()) records.push_back(std::move(*record));
  return records;
}

}  // namespace flaky
