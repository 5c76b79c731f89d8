// SPDX-License-Identifier: MIT
#include "analysis/within_run.h"

#include <gmock/gmock.h>

#include <optional>
#include <string>
#include <utility>

#include "tests/support/part_counts.h"

namespace flaky {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class WithinRun : public testing::Test {
 protected:
  void AddPart(const std::string& id, const Counts& tests, std::optional<std::string> variant = std::nullopt,
               const std::string& program = "a_test") {
    Part part;
    part.part_id = id;
    part.variant = std::move(variant);
    AddRosters(record_.rosters, GiveTests(part, tests, program));
    record_.parts.push_back(std::move(part));
  }
  void AddFailure(const std::string& part, const std::string& name, int64_t attempt,
                  const std::string& program = "a_test") {
    Failure failure;
    failure.part_id = part;
    failure.test_name = name;
    failure.program = program;
    failure.test_file = "a_test.cc";
    failure.attempt = attempt;
    record_.failures.push_back(std::move(failure));
  }
  std::vector<FlakyWithinRun> Find() const { return FindFlakyWithin(record_); }

  RunRecord record_;
};

TEST_F(WithinRun, ATestThatFailedAndPassedIsFlaky) {
  AddPart("p", {{"S.Flaky", {3, 0}}, {"S.Broken", {2, 0}}, {"S.Fine", {5, 0}}});
  AddFailure("p", "S.Flaky", 0);
  AddFailure("p", "S.Flaky", 1);
  AddFailure("p", "S.Broken", 0);
  AddFailure("p", "S.Broken", 1);
  EXPECT_THAT(Find(), ElementsAre(FlakyWithinRun{"a_test", "a_test.cc", "S.Flaky", 2, 1}));
}

TEST_F(WithinRun, SeveralFailuresOfOneAttemptCountOnce) {
  AddPart("p", {{"S.A", {1, 0}}});
  AddFailure("p", "S.A", 0);
  AddFailure("p", "S.A", 0);
  EXPECT_THAT(Find(), IsEmpty());
}

TEST_F(WithinRun, AddsUpAttemptsOfAllParts) {
  AddPart("first", {{"S.A", {1, 0}}});
  AddPart("again", {{"S.A", {1, 0}}});
  AddFailure("first", "S.A", 0);
  EXPECT_THAT(Find(), ElementsAre(FlakyWithinRun{"a_test", "a_test.cc", "S.A", 1, 1}));
}

TEST_F(WithinRun, ASkipIsNotAPass) {
  AddPart("p", {{"S.A", {1, 1}}});
  AddFailure("p", "S.A", 0);
  EXPECT_THAT(Find(), IsEmpty());
}

TEST_F(WithinRun, JudgesEachVariantSeparately) {
  AddPart("a", {{"S.A", {1, 0}}, {"S.B", {2, 0}}}, "asan");
  AddPart("r", {{"S.A", {1, 0}}, {"S.B", {7, 0}}}, "release");
  AddFailure("a", "S.A", 0);
  AddFailure("a", "S.B", 0);
  EXPECT_THAT(Find(), ElementsAre(FlakyWithinRun{"a_test", "a_test.cc", "S.B", 1, 1}));
}

TEST_F(WithinRun, DistinguishesTestsOfOneNameInSeveralPrograms) {
  AddPart("p", {{"S.A", {1, 0}}}, std::nullopt, "a_test");
  AddPart("q", {{"S.A", {2, 0}}}, std::nullopt, "b_test");
  AddFailure("p", "S.A", 0, "a_test");
  EXPECT_THAT(Find(), IsEmpty()) << "the passes belong to the other test";
  AddFailure("q", "S.A", 1, "b_test");
  EXPECT_THAT(Find(), ElementsAre(FlakyWithinRun{"b_test", "a_test.cc", "S.A", 1, 1}));
}

TEST_F(WithinRun, WithoutRostersThereAreNoKnownPasses) {
  AddFailure("p", "S.A", 0);
  record_.failures.back().part_id.reset();
  EXPECT_THAT(Find(), IsEmpty());
  AddPart("p", {{"S.A", {2, 0}}});
  record_.rosters.clear();
  AddFailure("p", "S.A", 0);
  EXPECT_THAT(Find(), IsEmpty());
}

}  // namespace
}  // namespace flaky
