// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_SUPPORT_RECORD_BUILDER_H_
#define FLAKY_TESTS_SUPPORT_RECORD_BUILDER_H_

#include <optional>
#include <string>
#include <utility>

#include "history/merge.h"
#include "history/part_tests.h"
#include "history/roster.h"
#include "history/run.h"

namespace flaky {

// Returns the time `seconds` after 2026-01-01T00:00:00Z.
inline Timestamp At(int64_t seconds) {
  return Timestamp{1'767'225'600 * kMicrosPerSecond} + seconds * kMicrosPerSecond;
}

// Builds a record in one expression:
//   BuildRecord("r1").Project("p").Part("p1", 0).Fail("Suite.Test").Build()
class BuildRecord {
 public:
  // Starts with a run without parts that began at At(0), has not ended and has no project.
  explicit BuildRecord(std::string run_id) {
    record_.run.run_id = std::move(run_id);
    record_.run.account.started_at = At(0);
  }

  BuildRecord& StartedAt(Timestamp time) {
    record_.run.account.started_at = time;
    return *this;
  }
  BuildRecord& Project(std::string project) {
    record_.run.project = std::move(project);
    return *this;
  }
  // Ends a run without parts.
  BuildRecord& Ended(Timestamp time, int64_t failed_tests = 0) {
    Account& account = record_.run.account;
    account = Done(account.started_at, time, failed_tests);
    return *this;
  }
  // Adds a part that began at At(start) and took ten seconds, with a roster of two tests. Later failures belong to it.
  BuildRecord& Part(std::string part_id, int64_t start, int64_t failed_tests = 0) {
    const PartTest once = {{1, 0}, std::nullopt};
    flaky::Part part;
    part.part_id = std::move(part_id);
    part.account = Done(At(start), At(start + 10), failed_tests);
    AddRosters(record_.rosters, SetPartTests(part, {{"suite_test", {{"Suite.Test", once}, {"Suite.Other", once}}}}));
    record_.parts.push_back(std::move(part));
    return *this;
  }
  BuildRecord& Fail(std::string test_name, std::string message = "Expected: true", int64_t at = 1) {
    Failure failure;
    if (!record_.parts.empty()) failure.part_id = record_.parts.back().part_id;
    failure.test_file = "tests/suite_test.cc";
    if (!record_.parts.empty()) failure.program = "suite_test";
    failure.test_name = std::move(test_name);
    failure.failure_kind = kAssertion;
    failure.error_message = std::move(message);
    failure.failed_at = At(at);
    record_.failures.push_back(std::move(failure));
    return *this;
  }

  RunRecord Build() const {
    RunRecord record = record_;
    SumParts(record);
    return record;
  }

 private:
  static Account Done(Timestamp start, Timestamp end, int64_t failed_tests) {
    Account account;
    account.started_at = start;
    account.ended_at = end;
    account.duration_ms = (end.micros - start.micros) / 1000;
    account.status = failed_tests == 0 ? kPass : flaky::kFail;
    account.total_tests = 2;
    account.passed_tests = 2 - failed_tests;
    account.failed_tests = failed_tests;
    account.errors_between_tests = 0;
    return account;
  }

  RunRecord record_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_SUPPORT_RECORD_BUILDER_H_
