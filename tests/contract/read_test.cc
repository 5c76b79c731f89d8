// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>

#include "tests/contract/contract.h"
#include "tests/support/record_builder.h"

namespace flaky {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// Nine runs; r2 to r6 began at the same time, r7 one microsecond later.
std::vector<RunRecord> NineRuns() {
  std::vector<RunRecord> records;
  for (int i = 1; i <= 9; ++i) {
    Timestamp start = At(i < 2 ? 0 : 10);
    if (i == 7) start = start + 1;
    if (i > 7) start = At(10 * i);
    BuildRecord record("r" + std::to_string(i));
    record.StartedAt(start).Fail("S.T", std::string(100, 'm'));
    if (i % 3 == 0) record.Project("p");
    if (i % 3 == 1) record.Project("");
    records.push_back(record.Build());
  }
  return records;
}

TEST_P(StoreContract, PagesOfAnySizeHaveEveryRunOnceInOrder) {
  std::vector<RunRecord> records = NineRuns();
  std::rotate(records.begin(), records.begin() + 5, records.end());
  store().Write(records);
  const std::vector<std::string> oldest_first = {"r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9"};
  std::vector<std::string> newest_first(oldest_first.rbegin(), oldest_first.rend());
  for (size_t size = 1; size <= 10; ++size) {
    PageRequest request;
    request.max_records = size;
    EXPECT_EQ(RunIdsOf(ReadAll(store(), request)), oldest_first) << "pages of " << size;
    request.direction = Direction::kNewestFirst;
    EXPECT_EQ(RunIdsOf(ReadAll(store(), request)), newest_first) << "pages of " << size;
  }
}

TEST_P(StoreContract, TheLastPageHasNoNext) {
  store().Write(NineRuns());
  PageRequest request;
  request.max_records = 9;
  EXPECT_FALSE(store().Read(request).next.has_value()) << "a full page without a successor is the last";
  request.max_records = 8;
  const Page page = store().Read(request);
  ASSERT_TRUE(page.next.has_value());
  EXPECT_EQ(page.next->run_id, "r8");
}

TEST_P(StoreContract, PagesAreBoundedByBytesButHoldARecord) {
  store().Write(NineRuns());
  PageRequest request;
  request.max_bytes = 1;
  EXPECT_EQ(store().Read(request).records.size(), 1u);
  EXPECT_EQ(ReadAll(store(), request).size(), 9u);
  request.max_bytes = 450;
  const size_t some = store().Read(request).records.size();
  EXPECT_GT(some, 1u);
  EXPECT_LT(some, 9u);
}

TEST_P(StoreContract, AWalkResumesAfterAKeyWithoutARun) {
  store().Write(NineRuns());
  PageRequest request;
  request.after = RunKey{At(10), "r4x"};
  EXPECT_THAT(RunIdsOf(ReadAll(store(), request)), ElementsAre("r5", "r6", "r7", "r8", "r9"));
  request.direction = Direction::kNewestFirst;
  EXPECT_THAT(RunIdsOf(ReadAll(store(), request)), ElementsAre("r4", "r3", "r2", "r1"));
}

TEST_P(StoreContract, WritingAnEarlierRunDoesNotAffectAWalk) {
  store().Write(NineRuns());
  PageRequest request;
  request.max_records = 4;
  const Page first = store().Read(request);
  WriteOne(BuildRecord("r0").Build());
  request.after = first.next;
  EXPECT_THAT(RunIdsOf(ReadAll(store(), request)), ElementsAre("r5", "r6", "r7", "r8", "r9"));
}

TEST_P(StoreContract, RunsOnlyLeavesTheRestOut) {
  const RunRecord record = BuildRecord("run").Part("p", 0, 1).Fail("S.T").Build();
  WriteOne(record);
  PageRequest request;
  request.detail = Detail::kRunsOnly;
  const Page page = store().Read(request);
  ASSERT_EQ(page.records.size(), 1u);
  EXPECT_EQ(page.records.front().run, record.run);
  EXPECT_TRUE(page.records.front().parts.empty());
  EXPECT_TRUE(page.records.front().failures.empty());
  EXPECT_TRUE(page.records.front().rosters.empty());
}

TEST_P(StoreContract, FiltersChooseByProjectAndTime) {
  store().Write(NineRuns());
  const auto with = [&](RunFilter filter) {
    PageRequest request;
    request.filter = filter;
    request.max_records = 2;
    const std::vector<std::string> ids = RunIdsOf(ReadAll(store(), request));
    const Totals totals = store().Count(filter);
    EXPECT_EQ(totals.runs, static_cast<int64_t>(ids.size()));
    EXPECT_EQ(totals.failures, static_cast<int64_t>(ids.size())) << "each has one";
    return ids;
  };
  RunFilter filter;
  filter.project = "p";
  EXPECT_THAT(with(filter), ElementsAre("r3", "r6", "r9"));
  filter.project = "";
  EXPECT_THAT(with(filter), ElementsAre("r1", "r4", "r7"));
  filter.project = std::optional<std::string>();
  EXPECT_THAT(with(filter), ElementsAre("r2", "r5", "r8")) << "without a project is not the project ''";
  filter.since = At(10) + 1;
  EXPECT_THAT(with(filter), ElementsAre("r8"));
  filter.project.reset();
  EXPECT_THAT(with(filter), ElementsAre("r7", "r8", "r9")) << "since is inclusive, to the microsecond";
  filter.until = At(90);
  EXPECT_THAT(with(filter), ElementsAre("r7", "r8")) << "until is exclusive";
  filter = {};
  filter.until = At(10);
  EXPECT_THAT(with(filter), ElementsAre("r1"));
  filter.until = At(10) + 1;
  EXPECT_THAT(with(filter), ElementsAre("r1", "r2", "r3", "r4", "r5", "r6"));
  filter.since = Timestamp{INT64_MIN};
  filter.until = Timestamp{INT64_MAX};
  EXPECT_EQ(with(filter).size(), 9u);
}

TEST_P(StoreContract, TheFirstAndLastTimeCanBeSelected) {
  const Timestamp first = Timestamp::kMin, last = Timestamp::kMax;
  for (const char* id : {"a", "b"}) {
    WriteOne(BuildRecord(std::string("first-") + id).StartedAt(first).Build());
    WriteOne(BuildRecord(std::string("last-") + id).StartedAt(last).Build());
  }
  for (const int64_t beyond : {int64_t{0}, int64_t{1}, INT64_MAX - last.micros}) {
    PageRequest request;
    request.max_records = 1;
    request.filter.since = beyond > 1 ? Timestamp{INT64_MIN} : first - beyond;
    request.filter.until = last + beyond;
    std::vector<std::string> ids = {"first-a", "first-b"};
    if (beyond > 0) ids.insert(ids.end(), {"last-a", "last-b"});
    EXPECT_EQ(RunIdsOf(ReadAll(store(), request)), ids) << beyond;
    EXPECT_EQ(store().Count(request.filter).runs, static_cast<int64_t>(ids.size())) << beyond;
    request.direction = Direction::kNewestFirst;
    std::reverse(ids.begin(), ids.end());
    EXPECT_EQ(RunIdsOf(ReadAll(store(), request)), ids) << beyond;
  }
}

TEST_P(StoreContract, FetchReturnsTheRunsThatExist) {
  store().Write(NineRuns());
  const std::vector<std::string> ids = {"r9", "none", "r1", "' OR 1=1 --"};
  EXPECT_THAT(RunIdsOf(store().Fetch(ids)), UnorderedElementsAre("r1", "r9"));
  EXPECT_THAT(store().Fetch({}), IsEmpty());
}

TEST_P(StoreContract, RunsAreFoundByThePlainTextTheyBeginWith) {
  for (const char* id : {"abc", "abd", "ab%", "ab_", "AB", "ab\\", "b", "ab🦊", "a*c"}) {
    WriteOne(BuildRecord(id).Build());
  }
  EXPECT_THAT(store().FindRuns("ab", 99), ElementsAre("ab%", "ab\\", "ab_", "abc", "abd", "ab🦊"));
  EXPECT_THAT(store().FindRuns("ab%", 99), ElementsAre("ab%"));
  EXPECT_THAT(store().FindRuns("ab_", 99), ElementsAre("ab_"));
  EXPECT_THAT(store().FindRuns("a*", 99), ElementsAre("a*c"));
  EXPECT_THAT(store().FindRuns("ab\\", 99), ElementsAre("ab\\"));
  EXPECT_THAT(store().FindRuns("", 2), ElementsAre("AB", "a*c"));
  EXPECT_THAT(store().FindRuns("ab", 1), ElementsAre("ab%"));
  EXPECT_THAT(store().FindRuns("ab", 0), IsEmpty());
  EXPECT_THAT(store().FindRuns("zz", 9), IsEmpty());
}

TEST_P(StoreContract, FailuresAreVisitedWithFactsOfTheirRun) {
  RunRecord ended = BuildRecord("ended").Project("p").Ended(At(50), 3).Fail("S.T", "message", 20).Build();
  ended.failures.front().error_stack = "stack";
  RunRecord dead = BuildRecord("dead").Fail("S.T", "m", 30).Build();
  dead.failures.front().error_message.reset();
  WriteOne(ended);
  WriteOne(dead);
  std::set<std::string> seen;
  store().VisitFailures({}, [&](const FailureView& view) {
    seen.insert(std::string(view.run_id));
    EXPECT_EQ(view.test_file, "tests/suite_test.cc");
    EXPECT_EQ(view.test_name, "S.T");
    EXPECT_EQ(view.failure_kind, kAssertion);
    if (view.run_id == "ended") {
      EXPECT_TRUE(view.run_ended);
      EXPECT_EQ(view.run_failed_tests, 3);
      EXPECT_EQ(view.error_message, "message");
      EXPECT_EQ(view.error_stack, "stack");
      EXPECT_EQ(view.failed_at, At(20));
    } else {
      EXPECT_FALSE(view.run_ended);
      EXPECT_FALSE(view.run_failed_tests.has_value());
      EXPECT_FALSE(view.error_message.has_value());
      EXPECT_FALSE(view.error_stack.has_value());
    }
  });
  EXPECT_THAT(seen, UnorderedElementsAre("ended", "dead"));
}

TEST_P(StoreContract, FailuresAreChosenByTimeProjectAndTest) {
  BuildRecord many("many");
  for (int i = 0; i < 5; ++i) many.Fail(i % 2 == 0 ? "S.Even" : "S.Odd", "m" + std::to_string(i), 100 + i);
  RunRecord record = many.Build();
  record.failures[3].failed_at = At(102) + 1;
  WriteOne(record);
  WriteOne(BuildRecord("p").Project("p").Fail("S.Even", "p", 103).Build());
  WriteOne(BuildRecord("empty").Project("").Fail("S.Even", "e", 103).Build());
  const auto messages = [&](const FailureFilter& filter) {
    std::vector<std::string> found;
    store().VisitFailures(filter, [&](const FailureView& view) { found.emplace_back(view.error_message.value()); });
    return found;
  };
  FailureFilter filter;
  EXPECT_EQ(messages(filter).size(), 7u);
  filter.after = At(102);
  EXPECT_THAT(messages(filter), UnorderedElementsAre("m3", "m4", "p", "e")) << "after is exclusive, to the microsecond";
  filter.project = std::optional<std::string>();
  EXPECT_THAT(messages(filter), UnorderedElementsAre("m3", "m4"));
  filter.test_name = "S.Even";
  EXPECT_THAT(messages(filter), UnorderedElementsAre("m4"));
  filter.after.reset();
  EXPECT_THAT(messages(filter), UnorderedElementsAre("m0", "m2", "m4"));
  filter.project = "p";
  EXPECT_THAT(messages(filter), UnorderedElementsAre("p"));
  filter.project = "";
  EXPECT_THAT(messages(filter), UnorderedElementsAre("e"));
  filter = {};
  filter.after = Timestamp{INT64_MIN + 1};
  EXPECT_EQ(messages(filter).size(), 7u);
}

TEST_P(StoreContract, VisitingFailuresResumesAfterAnyOfThem) {
  BuildRecord many("many");
  for (int i = 0; i < 9; ++i) many.Fail("S.T", "m" + std::to_string(i), 100 + i / 3);
  WriteOne(many.Build());
  WriteOne(BuildRecord("p").Project("p").Fail("S.T", "p", 101).Build());
  struct Seen {
    FailureKey key;
    std::string message;
  };
  const auto visit = [&](const FailureFilter& filter) {
    std::vector<Seen> seen;
    store().VisitFailures(filter, [&](const FailureView& view) {
      seen.push_back({{view.failed_at, view.id}, std::string(view.error_message.value())});
    });
    return seen;
  };
  for (const std::optional<Timestamp>& after : {std::optional<Timestamp>(), std::optional(At(100))}) {
    FailureFilter filter;
    filter.after = after;
    const std::vector<Seen> all = visit(filter);
    ASSERT_EQ(all.size(), after ? 7u : 10u);
    for (size_t i = 0; i < all.size(); ++i) {
      filter.behind = all[i].key;
      const std::vector<Seen> rest = visit(filter);
      ASSERT_EQ(rest.size(), all.size() - i - 1) << i;
      for (size_t j = 0; j < rest.size(); ++j) EXPECT_EQ(rest[j].message, all[i + 1 + j].message);
    }
  }
}

TEST_P(StoreContract, FailuresAreVisitedWithoutTextsIfAsked) {
  RunRecord record = BuildRecord("run").Fail("S.T", "message").Build();
  record.failures.front().error_stack = "stack";
  WriteOne(record);
  record.run.run_id = "without";
  record.failures.front().error_message.reset();
  record.failures.front().error_stack.reset();
  WriteOne(record);
  FailureFilter filter;
  filter.texts = false;
  int shown = 0;
  store().VisitFailures(filter, [&](const FailureView& view) {
    ++shown;
    EXPECT_EQ(view.test_name, "S.T");
    EXPECT_EQ(view.failed_at, At(1));
    if (view.run_id == "run") {
      EXPECT_EQ(view.error_message, "");
      EXPECT_EQ(view.error_stack, "");
    } else {
      EXPECT_FALSE(view.error_message.has_value());
      EXPECT_FALSE(view.error_stack.has_value());
    }
  });
  EXPECT_EQ(shown, 2);
}

TEST_P(StoreContract, FailuresAreFoundByTheirIds) {
  BuildRecord many("many");
  for (int i = 0; i < 5; ++i) many.Fail("S.T", "m" + std::to_string(i), 100 + i);
  WriteOne(many.Build());
  FailureFilter filter;
  std::vector<FailureId> ids;
  store().VisitFailures(filter, [&](const FailureView& view) {
    if (view.error_message == "m1" || view.error_message == "m3") ids.push_back({std::string(view.run_id), view.id});
  });
  ASSERT_EQ(ids.size(), 2u);
  filter.ids = ids;
  filter.ids.push_back({"many", std::numeric_limits<int64_t>::max()});
  filter.ids.push_back({"another", ids.front().id});
  std::vector<std::string> found;
  store().VisitFailures(filter, [&](const FailureView& view) { found.emplace_back(view.error_message.value()); });
  EXPECT_THAT(found, ElementsAre("m1", "m3"));
}

}  // namespace
}  // namespace flaky
