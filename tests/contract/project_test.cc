// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/contract/contract.h"
#include "tests/support/record_builder.h"

namespace flaky {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

using Project = std::optional<std::string>;

struct Seen {
  FailureKey key;
  std::string message;
};

std::vector<Seen> Visit(Store& store, const FailureFilter& filter) {
  std::vector<Seen> seen;
  store.VisitFailures(filter, [&](const FailureView& view) {
    seen.push_back({{view.failed_at, view.id}, std::string(view.error_message.value())});
  });
  return seen;
}

std::vector<std::string> MessagesOf(Store& store, const Project& project) {
  FailureFilter filter;
  filter.project = project;
  std::vector<std::string> messages;
  for (const Seen& seen : Visit(store, filter)) messages.push_back(seen.message);
  return messages;
}

// The npm packages write no project into failures.
TEST_P(StoreContract, FailuresHaveTheProjectOfTheirRun) {
  const std::vector<Project> projects = {"p", "", std::nullopt};
  constexpr int kRuns = 9;
  constexpr int kFailures = 4;
  std::vector<RunRecord> records;
  for (int i = 0; i < kRuns; ++i) {
    BuildRecord record("r" + std::to_string(i));
    const Project& project = projects[static_cast<size_t>(i) % projects.size()];
    if (project) record.Project(*project);
    for (int k = 0; k < kFailures; ++k) {
      // Not in order of time, and several at each time.
      record.Fail("S.T", std::to_string(i) + "." + std::to_string(k), 100 + (7 * i + 3 * k) % 5);
    }
    records.push_back(record.Build());
  }
  store().Write(records);
  for (const char* forgotten : {"id % 2 = 0", "id % 3 = 0", "true"}) {
    const bool has_sql =
        place().Execute("UPDATE \"{prefix}failures\" SET project = NULL WHERE " + std::string(forgotten));
    for (const Project& project : projects) {
      FailureFilter filter;
      filter.project = project;
      const std::vector<Seen> all = Visit(store(), filter);
      ASSERT_THAT(all, SizeIs(kRuns / 3 * kFailures)) << forgotten;
      for (size_t i = 0; i < all.size(); ++i) {
        const size_t run = static_cast<size_t>(all[i].message.front() - '0');
        EXPECT_EQ(projects[run % projects.size()], project) << forgotten;
        EXPECT_LE(all[i > 0 ? i - 1 : 0].key.failed_at, all[i].key.failed_at) << forgotten;
        filter.behind = all[i].key;
        const std::vector<Seen> rest = Visit(store(), filter);
        ASSERT_EQ(rest.size(), all.size() - i - 1) << forgotten << " after " << i;
        for (size_t k = 0; k < rest.size(); ++k) EXPECT_EQ(rest[k].message, all[i + 1 + k].message) << forgotten;
      }
      filter.behind.reset();
      filter.after = At(102);
      size_t later = 0;
      for (const Seen& seen : all) later += seen.key.failed_at > At(102) ? 1 : 0;
      EXPECT_THAT(Visit(store(), filter), SizeIs(later)) << forgotten;
    }
    if (!has_sql) break;
  }
}

TEST_P(StoreContract, FailuresFollowTheirRunToAnotherProject) {
  WriteOne(BuildRecord("other").Project("m").Fail("S.T", "other", 5).Build());
  WriteOne(BuildRecord("run").Part("p1", 0, 1).Fail("S.T", "1", 1).Build());
  EXPECT_THAT(MessagesOf(store(), std::nullopt), ElementsAre("1"));
  EXPECT_EQ(WriteOne(BuildRecord("run").Project("m").Part("p2", 10, 1).Fail("S.T", "2", 12).Build()).outcome,
            Outcome::kCompleted);
  EXPECT_THAT(MessagesOf(store(), "m"), ElementsAre("1", "other", "2"));
  EXPECT_THAT(MessagesOf(store(), std::nullopt), IsEmpty());
  EXPECT_EQ(WriteOne(BuildRecord("run").Project("a").Part("p3", 20, 1).Fail("S.T", "3", 22).Build()).outcome,
            Outcome::kCompleted)
      << "a run has the smallest of its parts' projects";
  EXPECT_THAT(MessagesOf(store(), "a"), ElementsAre("1", "2", "3"));
  EXPECT_THAT(MessagesOf(store(), "m"), ElementsAre("other"));

  // One failure stays, one goes and one is new.
  for (const Project& project : {Project("z"), Project()}) {
    BuildRecord replacing("run");
    if (project) replacing.Project(*project);
    const std::string message = project.value_or("none");
    const RunRecord record = replacing.Part("p1", 0, 1).Fail("S.T", "1", 1).Fail("S.T", message, 2).Build();
    EXPECT_EQ(store().Write({&record, 1}, OnExisting::kReplace).front().outcome, Outcome::kReplaced);
    EXPECT_THAT(MessagesOf(store(), project), ElementsAre("1", message));
    EXPECT_THAT(MessagesOf(store(), "a"), IsEmpty());
  }
  EXPECT_THAT(MessagesOf(store(), "z"), IsEmpty());
}

TEST_P(StoreContract, DeletingARunDeletesWhatBelongsToIt) {
  for (const char* id : {"gone", "stays"})
    WriteOne(BuildRecord(id).Project("p").Part("part", 0, 1).Fail("S.T").Build());
  // A store without SQL deletes nothing.
  if (!place().Execute("DELETE FROM \"{prefix}runs\" WHERE run_id = 'gone'")) return;
  EXPECT_EQ(store().Count({}), (Totals{1, 1, 1}));
  EXPECT_THAT(FetchOne("stays").rosters, Not(IsEmpty())) << "which both used";
  WriteOne(BuildRecord("gone").Project("p").Part("part", 0).Build());
  EXPECT_EQ(store().Count({}), (Totals{2, 2, 1}));
}

}  // namespace
}  // namespace flaky
