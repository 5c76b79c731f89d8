// SPDX-License-Identifier: MIT
#include "analysis/new_patterns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace flaky {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const Timestamp kNow = *Timestamp::Parse("2026-03-15T12:00:00Z");
constexpr int64_t kWeek = 7 * kMicrosPerDay;

// A failure that owns its texts.
struct OwnedFailure {
  std::string file = "a_test.cc";
  std::string name = "Suite.Test";
  std::string kind = "assertion";
  std::optional<std::string> message = "expected 1";
  std::optional<std::string> stack;
  Timestamp failed_at = kNow - kMicrosPerDay;
  bool run_ended = true;
  std::optional<int64_t> run_failed_tests = 1;

  FailureView View() const {
    return {.run_id = "run",
            .test_file = file,
            .test_name = name,
            .failure_kind = kind,
            .error_message = message,
            .error_stack = stack,
            .failed_at = failed_at,
            .run_ended = run_ended,
            .run_failed_tests = run_failed_tests};
  }
};

auto Fields(const NewPattern& pattern) {
  return std::tuple(pattern.test_file, pattern.test_name, pattern.recent, pattern.kinds, pattern.last_message,
                    pattern.last_stack, pattern.last_failed_at);
}

// Returns the patterns. They must be the same whether the texts are added at once or later.
std::vector<NewPattern> Find(const std::vector<OwnedFailure>& failures, int64_t window = 7, int64_t threshold = 2) {
  const NewPatternRule rule{.window_days = window, .threshold = threshold, .now = kNow};
  NewPatternFinder finder(rule), later(rule);
  for (const OwnedFailure& failure : failures) finder.Add(failure.View());
  for (size_t i = 0; i < failures.size(); ++i) {
    FailureView view = failures[i].View();
    view.id = static_cast<int64_t>(i);
    if (view.error_message) view.error_message = "";
    if (view.error_stack) view.error_stack = "";
    later.AddWithoutTexts(view);
  }
  for (const FailureId& wanted : later.TextsWanted()) later.AddTexts(failures[static_cast<size_t>(wanted.id)].View());
  std::vector<NewPattern> found = finder.Find();
  const std::vector<NewPattern> found_later = later.Find();
  EXPECT_EQ(found.size(), found_later.size());
  for (size_t i = 0; i < std::min(found.size(), found_later.size()); ++i) {
    EXPECT_EQ(Fields(found[i]), Fields(found_later[i]));
  }
  return found;
}

OwnedFailure At(Timestamp failed_at) {
  OwnedFailure failure;
  failure.failed_at = failed_at;
  return failure;
}

TEST(NewPatternTest, ReportsATestWithEnoughRecentFailuresAndNoPriorOnes) {
  const auto found = Find({At(kNow - 3 * kMicrosPerDay), At(kNow - kMicrosPerDay)});
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].test_file, "a_test.cc");
  EXPECT_EQ(found[0].test_name, "Suite.Test");
  EXPECT_EQ(found[0].recent, 2);
  EXPECT_THAT(found[0].kinds, ElementsAre("assertion"));
  EXPECT_EQ(found[0].last_message, "expected 1");
  EXPECT_EQ(found[0].last_stack, std::nullopt);
  EXPECT_EQ(found[0].last_failed_at, kNow - kMicrosPerDay);
}

TEST(NewPatternTest, DoesNotReportOneFailureLessThanTheThreshold) {
  EXPECT_THAT(Find({At(kNow)}), IsEmpty());
  EXPECT_THAT(Find({At(kNow)}, 7, 1), SizeIs(1));
  EXPECT_THAT(Find({At(kNow), At(kNow)}, 7, 3), IsEmpty());
  EXPECT_THAT(Find({At(kNow), At(kNow), At(kNow)}, 7, 3), SizeIs(1));
}

TEST(NewPatternTest, AFailureExactlyAWindowAgoIsPrior) {
  EXPECT_THAT(Find({At(kNow), At(kNow), At(kNow - kWeek)}), IsEmpty());
  EXPECT_THAT(Find({At(kNow), At(kNow - kWeek + 1)}), SizeIs(1));
  EXPECT_THAT(Find({At(kNow), At(kNow), At(kNow - kWeek + 1)}), SizeIs(1));
}

TEST(NewPatternTest, AFailureExactlyTwoWindowsAgoDoesNotMatter) {
  EXPECT_THAT(Find({At(kNow), At(kNow), At(kNow - 2 * kWeek)}), SizeIs(1));
  EXPECT_THAT(Find({At(kNow), At(kNow), At(kNow - 2 * kWeek + 1)}), IsEmpty());
  EXPECT_EQ((NewPatternRule{.window_days = 7, .threshold = 2, .now = kNow}.Horizon()), kNow - 2 * kWeek);
}

TEST(NewPatternTest, AFailureInTheFutureIsRecent) {
  EXPECT_THAT(Find({At(kNow + kMicrosPerDay), At(kNow + kMicrosPerDay)}), SizeIs(1));
}

TEST(NewPatternTest, RunsThatDidNotEndDoNotCount) {
  OwnedFailure open;
  open.run_ended = false;
  EXPECT_THAT(Find({open, open, open}), IsEmpty());
  OwnedFailure open_and_prior = open;
  open_and_prior.failed_at = kNow - kWeek;
  EXPECT_THAT(Find({At(kNow), At(kNow), open_and_prior}), SizeIs(1));
}

TEST(NewPatternTest, RunsWithTenFailedTestsOrAnUnknownNumberDoNotCount) {
  OwnedFailure nine, ten, unknown;
  nine.run_failed_tests = 9;
  ten.run_failed_tests = 10;
  unknown.run_failed_tests = std::nullopt;
  EXPECT_THAT(Find({nine, nine}), SizeIs(1));
  EXPECT_THAT(Find({ten, ten}), IsEmpty());
  EXPECT_THAT(Find({unknown, unknown}), IsEmpty());
  EXPECT_THAT(Find({nine, ten}), IsEmpty());
  OwnedFailure prior = ten;
  prior.failed_at = kNow - kWeek;
  EXPECT_THAT(Find({nine, nine, prior}), SizeIs(1)) << "and they are not prior failures";
}

TEST(NewPatternTest, ATestIsIdentifiedByFileAndName) {
  OwnedFailure other_file, other_name;
  other_file.file = "b_test.cc";
  other_name.name = "Suite.Other";
  EXPECT_THAT(Find({OwnedFailure(), other_file, other_name}), IsEmpty());
  // The boundary between file and name matters.
  OwnedFailure left, right;
  left.file = "a", left.name = "bc";
  right.file = "ab", right.name = "c";
  EXPECT_THAT(Find({left, right}), IsEmpty());
}

TEST(NewPatternTest, ReturnsTheLatestMessageAndStackThatAreNotAbsent) {
  OwnedFailure older, newer;
  older.failed_at = kNow - 2 * kMicrosPerDay;
  older.message = "older";
  older.stack = "stack";
  newer.failed_at = kNow - kMicrosPerDay;
  newer.message = "newer";
  for (const auto& failures : {std::vector{older, newer}, std::vector{newer, older}}) {
    const auto found = Find(failures);
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(found[0].last_message, "newer");
    EXPECT_EQ(found[0].last_stack, "stack");
  }
  newer.message = std::nullopt;
  EXPECT_EQ(Find({older, newer})[0].last_message, "older");
  newer.message = "";
  EXPECT_EQ(Find({older, newer})[0].last_message, "") << "an empty message is not absent";
}

TEST(NewPatternTest, KindsAreDistinctAndSorted) {
  OwnedFailure timeout, uncaught;
  timeout.kind = "timeout";
  uncaught.kind = "uncaught";
  EXPECT_THAT(Find({uncaught, OwnedFailure(), timeout, uncaught})[0].kinds,
              ElementsAre("assertion", "timeout", "uncaught"));
}

TEST(NewPatternTest, SortsByFailuresThenFileAndName) {
  std::vector<OwnedFailure> failures;
  const auto add = [&](const std::string& file, const std::string& name, int times) {
    OwnedFailure failure;
    failure.file = file;
    failure.name = name;
    failures.insert(failures.end(), static_cast<size_t>(times), failure);
  };
  add("b", "B.B", 2);
  add("a", "Z.Z", 2);
  add("a", "A.A", 2);
  add("z", "Z.Z", 5);
  std::vector<std::string> order;
  for (const NewPattern& pattern : Find(failures)) order.push_back(pattern.test_file + " " + pattern.test_name);
  EXPECT_THAT(order, ElementsAre("z Z.Z", "a A.A", "a Z.Z", "b B.B"));
}

// The rule again, as simply as possible: filter, group, count.
std::vector<NewPattern> Oracle(const std::vector<OwnedFailure>& failures, int64_t window, int64_t threshold) {
  const Timestamp border = kNow - window * kMicrosPerDay;
  const Timestamp horizon = border - window * kMicrosPerDay;
  std::map<std::pair<std::string, std::string>, std::vector<const OwnedFailure*>> groups;
  for (const OwnedFailure& failure : failures) {
    const bool counts = failure.run_ended && failure.run_failed_tests && *failure.run_failed_tests < 10;
    if (counts && failure.failed_at > horizon) groups[{failure.file, failure.name}].push_back(&failure);
  }
  std::vector<NewPattern> found;
  for (auto& [key, group] : groups) {
    const auto is_recent = [&](const OwnedFailure* failure) { return failure->failed_at > border; };
    const auto recent = std::count_if(group.begin(), group.end(), is_recent);
    if (recent < threshold || static_cast<size_t>(recent) != group.size()) continue;
    NewPattern pattern{.test_file = key.first,
                       .test_name = key.second,
                       .recent = recent,
                       .kinds = {},
                       .last_message = {},
                       .last_stack = {},
                       .last_failed_at = {}};
    const auto later = [&failed = group](auto field) {
      const OwnedFailure* last = nullptr;
      for (const OwnedFailure* failure : failed) {
        if (!(failure->*field)) continue;
        if (last == nullptr ||
            std::pair(failure->failed_at, failure->*field) > std::pair(last->failed_at, last->*field)) {
          last = failure;
        }
      }
      return last == nullptr ? std::nullopt : last->*field;
    };
    pattern.last_message = later(&OwnedFailure::message);
    pattern.last_stack = later(&OwnedFailure::stack);
    std::set<std::string> kinds;
    for (const OwnedFailure* failure : group) {
      kinds.insert(failure->kind);
      pattern.last_failed_at = std::max(pattern.last_failed_at, failure->failed_at);
    }
    pattern.kinds.assign(kinds.begin(), kinds.end());
    found.push_back(pattern);
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.recent > b.recent; });
  return found;
}

auto Tied(const NewPattern& p) {
  return std::tie(p.test_file, p.test_name, p.recent, p.kinds, p.last_message, p.last_stack, p.last_failed_at);
}

class NewPatternOracleTest : public testing::TestWithParam<int> {};

TEST_P(NewPatternOracleTest, AgreesWithTheRuleOnRandomHistories) {
  std::mt19937 random(static_cast<std::mt19937::result_type>(GetParam()));
  const auto upto = [&](int most) { return std::uniform_int_distribution<int>(0, most)(random); };
  const int64_t window = 1 + upto(9);
  const int64_t threshold = 1 + upto(3);
  const std::vector<std::string> kinds = {"assertion", "timeout", "uncaught", "unknown", ""};
  std::vector<OwnedFailure> failures;
  for (int i = upto(400); i >= 0; --i) {
    OwnedFailure failure;
    failure.file = std::string(1, static_cast<char>('a' + upto(2)));
    failure.name = "Suite.T" + std::to_string(upto(40));
    failure.kind = kinds[static_cast<size_t>(upto(4))];
    failure.message = upto(3) == 0 ? std::nullopt : std::optional(std::to_string(upto(9)));
    failure.stack = upto(3) > 0 ? std::nullopt : std::optional(std::to_string(upto(9)));
    // Mostly on or next to the borders, because mistakes happen there. Few are prior, so that some tests are reported.
    const int64_t border = upto(5) == 0 ? upto(2) : 0;
    failure.failed_at =
        kNow - border * window * kMicrosPerDay + (upto(2) - 1) - (upto(1) * upto(1000)) * kMicrosPerSecond;
    failure.run_ended = upto(5) > 0;
    failure.run_failed_tests = upto(9) == 0 ? std::nullopt : std::optional<int64_t>(upto(11));
    failures.push_back(failure);
  }
  const auto wanted = Oracle(failures, window, threshold);
  std::shuffle(failures.begin(), failures.end(), random);
  const auto found = Find(failures, window, threshold);
  ASSERT_EQ(found.size(), wanted.size());
  for (size_t i = 0; i < found.size(); ++i) EXPECT_EQ(Tied(found[i]), Tied(wanted[i]));
}

INSTANTIATE_TEST_SUITE_P(Seeds, NewPatternOracleTest, testing::Range(0, 300));

}  // namespace
}  // namespace flaky
