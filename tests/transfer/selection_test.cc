// SPDX-License-Identifier: MIT
#include "transfer/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stores/memory/memory_store.h"
#include "tests/support/record_builder.h"

namespace flaky {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class SelectionTest : public testing::Test {
 protected:
  SelectionTest() {
    const auto record = [](const std::string& id, int64_t at, const ProjectName& project, bool ended = true) {
      BuildRecord builder(id);
      builder.StartedAt(At(at));
      if (project) builder.Project(*project);
      if (ended) builder.Ended(At(at + 1));
      return builder.Build();
    };
    store_->Write(std::vector<RunRecord>{record("a1", 10, "a"), record("a2", 20, "a"), record("a3", 30, "a", false),
                                         record("b1", 15, "b"), record("none", 25, std::nullopt),
                                         record("empty", 26, "")});
  }

  // Returns the ids of the selected runs, as "project/id" if `projects`.
  std::vector<std::string> Take(Selection selection, bool projects = false, size_t batch = 2) {
    SelectedSource source(*store_, std::move(selection));
    expected_ = source.Expected()->runs;
    BatchLimits limits;
    limits.records = batch;
    std::vector<std::string> taken;
    while (const auto next = source.Next(limits)) {
      EXPECT_FALSE(next->records.empty());
      for (const RunRecord& record : next->records) {
        taken.push_back((projects ? record.run.project.value_or("-") + "/" : "") + record.run.run_id);
      }
    }
    unfinished_ = source.unfinished();
    return taken;
  }

  std::unique_ptr<Store> store_ = OpenMemory(MakeMemoryHistory(), OpenMode::kWrite);
  int64_t expected_ = 0;
  int64_t unfinished_ = 0;
};

TEST_F(SelectionTest, SelectsAllByDefault) {
  EXPECT_THAT(Take({}), ElementsAre("a1", "b1", "a2", "none", "empty", "a3"));
  EXPECT_EQ(expected_, 6);
}

TEST_F(SelectionTest, DistinguishesNoProjectFromTheEmptyName) {
  EXPECT_THAT(Take({.projects = {"a"}}), ElementsAre("a1", "a2", "a3"));
  EXPECT_EQ(expected_, 3);
  EXPECT_THAT(Take({.projects = {std::nullopt}}), ElementsAre("none"));
  EXPECT_THAT(Take({.projects = {"b", "a"}}, false, 1), UnorderedElementsAre("b1", "a1", "a2", "a3"));
  EXPECT_EQ(expected_, 4);
  EXPECT_THAT(Take({.projects = {"unknown"}}), IsEmpty());
}

TEST_F(SelectionTest, TheEndOfTheWindowIsExclusive) {
  EXPECT_THAT(Take({.since = At(15), .until = At(26)}), ElementsAre("b1", "a2", "none"));
  EXPECT_THAT(Take({.projects = {"a"}, .since = At(20)}), ElementsAre("a2", "a3"));
  EXPECT_EQ(expected_, 2);
}

TEST_F(SelectionTest, LeavesOutAndCountsRunsWithoutAnEnd) {
  EXPECT_THAT(Take({.finished_only = true}), ElementsAre("a1", "b1", "a2", "none", "empty"));
  EXPECT_EQ(unfinished_, 1);
  EXPECT_THAT(Take({.projects = {"a"}, .since = At(30), .finished_only = true}), IsEmpty());
}

TEST_F(SelectionTest, RenamesEachProjectOnce) {
  EXPECT_THAT(Take({.renamed = {{"a", "b"}, {"b", "a"}, {std::nullopt, "c"}}}, true),
              ElementsAre("b/a1", "a/b1", "b/a2", "c/none", "/empty", "b/a3"));
  EXPECT_THAT(Take({.projects = {"a"}, .renamed = {{"a", std::nullopt}}}, true), ElementsAre("-/a1", "-/a2", "-/a3"));
}

}  // namespace
}  // namespace flaky
