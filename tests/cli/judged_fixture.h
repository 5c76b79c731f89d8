// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_CLI_JUDGED_FIXTURE_H_
#define FLAKY_TESTS_CLI_JUDGED_FIXTURE_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "history/merge.h"
#include "tests/cli/program_fixture.h"
#include "tests/support/part_counts.h"
#include "tests/support/record_builder.h"

namespace flaky {

// A run of 20 tests, Suite0.T0 to Suite3.T19, in one part.
struct JudgedRunWords {
  double day = 0;
  std::string commit = {};
  std::vector<std::string> failed = {};
  std::string branch = "main";
  std::string variant = "release";
  std::string message = "Expected: true";
};

// Histories that are judged as of kNow, 30 days after their beginning.
class JudgedProgramTest : public ProgramTest {
 protected:
  static constexpr char kNow[] = "2026-01-31T00:00:00Z";
  static constexpr char kFlaky[] = "Suite0.T3";
  static constexpr char kBroken[] = "Suite1.T7";

  static std::string Name(int number) { return "Suite" + std::to_string(number / 5) + ".T" + std::to_string(number); }

  RunRecord Ran(const JudgedRunWords& words) {
    Counts executed;
    for (int i = 0; i < 20; ++i) executed[Name(i)] = {1, 0};
    RunRecord record;
    record.run.run_id = "run-" + std::to_string(1000 + ++runs_);
    record.run.project = "demo";
    record.run.git_sha = "c0" + words.commit + std::string(36, '0');
    record.run.tree_sha = "7e" + words.commit + std::string(36, '0');
    record.run.git_dirty = false;
    record.run.branch = words.branch;
    Part part;
    part.part_id = record.run.run_id + "-part";
    part.variant = words.variant;
    const auto second = static_cast<int64_t>(words.day * 86'400);
    part.account.started_at = At(second);
    part.account.ended_at = At(second + 10);
    part.account.duration_ms = 10'000;
    part.account.status = words.failed.empty() ? kPass : kFail;
    part.account.total_tests = 20;
    part.account.failed_tests = static_cast<int64_t>(words.failed.size());
    part.account.passed_tests = 20 - *part.account.failed_tests;
    part.account.errors_between_tests = 0;
    record.rosters = GiveTests(part, executed, "");
    record.parts.push_back(part);
    for (const std::string& test : words.failed) {
      Failure failure;
      failure.part_id = part.part_id;
      failure.test_file = "tests/suite_test.cc";
      failure.test_name = test;
      failure.failure_kind = kAssertion;
      failure.error_message = words.message;
      failure.failed_at = At(second + 1);
      failure.attempt = 0;
      failure.preceding_test = Name(0);
      record.failures.push_back(failure);
    }
    SumParts(record);
    return record;
  }

  // Two runs of each of 30 commits, one a day. kFlaky fails in one of the two runs on each fifth commit. kBroken fails
  // in all runs since commit 27.
  std::vector<RunRecord> OneFlakyOneBroken() {
    std::vector<RunRecord> records;
    for (int commit = 0; commit < 30; ++commit) {
      for (int again = 0; again < 2; ++again) {
        JudgedRunWords words{.day = commit + 0.2 * again, .commit = std::to_string(10 + commit), .failed = {}};
        words.variant = again == 0 ? "asan" : "release";
        if (commit % 5 == 2 && again == 1) words.failed.emplace_back(kFlaky);
        if (commit >= 27) words.failed.emplace_back(kBroken);
        records.push_back(Ran(words));
        if (commit % 5 == 2 && again == 1) {
          words.day += 0.1;  // the same code passes when it runs again
          std::erase(words.failed, kFlaky);
          records.push_back(Ran(words));
        }
      }
    }
    return records;
  }

  static Outcome Judge(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--at", kNow});
    return Run(arguments);
  }

  static nlohmann::json JsonOf(std::vector<std::string> arguments) {
    arguments.emplace_back("--json");
    return nlohmann::json::parse(Judge(arguments).out);
  }

 private:
  int runs_ = 0;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_CLI_JUDGED_FIXTURE_H_
