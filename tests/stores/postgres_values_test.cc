// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/stores/postgres_support.h"
#include "tests/support/part_counts.h"
#include "tests/support/record_builder.h"
#include "tests/support/walk_pages.h"

// Values of every kind and size are read back as they were written.
namespace flaky {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class PostgresValuesTest : public PostgresTest {
 protected:
  RunRecord Fetch(Store& store, const std::string& run_id) const { return store.Fetch({&run_id, 1}).at(0); }
};

TEST_F(PostgresValuesTest, AreTheSameForAnyClient) {
  RunRecord record = BuildRecord("run").Project("").Ended(At(7)).Fail("S.T").Build();
  record.run.account.started_at = *Timestamp::Parse("2026-02-03T04:05:06.123456Z");
  record.run.account.total_tests = INT64_MIN;
  record.run.git_dirty = true;
  record.failures[0].error_message = "a\tb\nc\\N\\.\r\"'{},NULL";
  record.failures[0].error_stack = "";
  record.failures[0].failed_at = *Timestamp::Parse("0000-01-01T00:00:00Z");
  const auto store = Open(OpenMode::kWrite);
  store->Write({&record, 1});
  Run("SET TimeZone = 'UTC'");
  EXPECT_THAT(Query("SELECT to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') FROM flaky_test_runs"),
              ElementsAre("2026-02-03 04:05:06.123456"));
  EXPECT_THAT(Query("SELECT total_tests FROM flaky_test_runs"), ElementsAre("-9223372036854775808"));
  EXPECT_THAT(Query("SELECT project = '' AND git_sha IS NULL AND git_dirty FROM flaky_test_runs"), ElementsAre("t"));
  EXPECT_THAT(Query("SELECT error_message FROM flaky_test_failures"), ElementsAre("a\tb\nc\\N\\.\r\"'{},NULL"));
  EXPECT_THAT(Query("SELECT error_stack = '' AND line IS NULL FROM flaky_test_failures"), ElementsAre("t"));
  EXPECT_THAT(Query("SELECT to_char(failed_at AT TIME ZONE 'UTC', 'YYYY BC') FROM flaky_test_failures"),
              ElementsAre("0001 BC"));
  EXPECT_EQ(DigestOf(Fetch(*store, "run")), DigestOf(record));
}

TEST_F(PostgresValuesTest, OfEverySizeComeBackInBoundedPages) {
  const auto store = Open(OpenMode::kWrite);
  std::vector<RunRecord> records;
  for (int run = 0; run < 12; ++run) {
    BuildRecord record("run" + std::to_string(10 + run));
    record.StartedAt(At(run));
    for (int i = 0; i < 3; ++i) {
      const size_t size = run % 4 == 0 ? 3u << 20 : 64u << 10;
      record.Fail("S.T" + std::to_string(i), std::string(size + static_cast<size_t>(i), static_cast<char>('a' + run)));
    }
    records.push_back(record.Build());
  }
  std::reverse(records.begin(), records.end());
  store->Write(records);
  PageRequest request;
  request.max_bytes = 4 << 20;
  size_t pages = 0;
  Digest sum;
  WalkPages([&](const PageRequest& next) { return store->Read(next); }, request,
            [&](const Page& page) {
              ++pages;
              size_t bytes = 0;
              for (const RunRecord& record : page.records) {
                sum += DigestOf(record);
                EXPECT_EQ(record.failures.size(), 3u);
                for (const Failure& failure : record.failures) bytes += failure.error_message->size();
              }
              EXPECT_LE(bytes, (4u << 20) + (10u << 20)) << "the limit and one record";
            });
  EXPECT_EQ(sum, SumOf(records));
  EXPECT_GE(pages, 3u);

  EXPECT_EQ(SumOf(store->Fetch(RunIdsOf(records))), SumOf(records));

  size_t seen = 0;
  size_t bytes = 0;
  Timestamp last{};
  store->VisitFailures({}, [&](const FailureView& view) {
    ++seen;
    bytes += view.error_message->size();
    EXPECT_LE(last, view.failed_at);
    last = view.failed_at;
  });
  EXPECT_EQ(seen, 36u);
  EXPECT_EQ(bytes, 9u * (3 << 20) + 27u * (64 << 10) + 36u);
}

TEST_F(PostgresValuesTest, LargeRostersBoundAPageToo) {
  const auto store = Open(OpenMode::kWrite);
  std::vector<RunRecord> records;
  for (int run = 0; run < 6; ++run) {
    RunRecord record = BuildRecord("run" + std::to_string(run)).Part("p", run).Build();
    Counts entries;
    for (int test = 0; test < 1000; ++test) {
      entries["Suite.Test" + std::to_string(test) + "OfRun" + std::to_string(run)] = {1, 0};
    }
    GiveTests(record, entries);
    records.push_back(record);
  }
  store->Write(records);
  PageRequest request;
  request.max_bytes = 60'000;
  const Page page = Open(OpenMode::kRead)->Read(request);
  EXPECT_GE(page.records.size(), 1u);
  EXPECT_LT(page.records.size(), 6u);
  for (const RunRecord& record : page.records) EXPECT_EQ(CountsOf(record).size(), 1000u);
  EXPECT_TRUE(page.next);
  EXPECT_EQ(SumOf(ReadAll(*Open(OpenMode::kRead))), SumOf(records));
}

TEST_F(PostgresValuesTest, MoreFailuresThanAPageHoldsAreAllShown) {
  const auto store = Open(OpenMode::kWrite);
  BuildRecord many("many");
  for (int i = 0; i < 4500; ++i) many.Fail("S.T" + std::to_string(i), "m", 100 + i / 3000);
  const RunRecord record = many.Build();
  store->Write({&record, 1});
  for (const bool texts : {true, false}) {
    FailureFilter filter;
    filter.texts = texts;
    int64_t seen = 0;
    int64_t last_id = 0;
    store->VisitFailures(filter, [&](const FailureView& view) {
      ++seen;
      EXPECT_GT(view.id, last_id);
      last_id = view.id;
    });
    EXPECT_EQ(seen, 4500);
  }
  EXPECT_EQ(DigestOf(Fetch(*store, "many")), DigestOf(record));
}

TEST_F(PostgresValuesTest, AVisitorsOwnExceptionComesOutAsItIs) {
  const auto store = Open(OpenMode::kWrite);
  const RunRecord record = BuildRecord("run").Fail("S.T").Build();
  store->Write({&record, 1});
  struct Enough {};
  EXPECT_THROW(store->VisitFailures({}, [](const FailureView&) { throw Enough(); }), Enough);
  EXPECT_EQ(store->Count({}).failures, 1) << "the store may still be used";
}

TEST_F(PostgresValuesTest, ThatAConstraintRefusesAreNamedBeforeAnythingIsWritten) {
  const auto store = Open(OpenMode::kWrite);
  RunRecord kind = BuildRecord("odd-kind").Fail("S.T").Build();
  kind.failures[0].failure_kind = "mystery\x1b";
  RunRecord status = BuildRecord("odd-status").Build();
  status.run.account.status = "skipped";
  RunRecord part = BuildRecord("odd-part").Part("p", 0).Build();
  part.parts[0].account.status = "maybe";
  struct Case {
    const RunRecord& record;
    const char* run;
    const char* column;
    const char* value;
  };
  for (const Case& each :
       {Case{kind, "'odd-kind'", "'failure_kind'", "'mystery?'"}, Case{status, "'odd-status'", "'status'", "'skipped'"},
        Case{part, "'odd-part'", "'status'", "'maybe'"}}) {
    const std::vector<RunRecord> batch = {BuildRecord("fine").Build(), each.record};
    const auto error = ErrorOf([&] { store->Write(batch); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error->what(), AllOf(HasSubstr(each.run), HasSubstr(each.column), HasSubstr(each.value)));
    EXPECT_EQ(store->Count({}), Totals());
  }
  // A table of the npm package without such a constraint takes them.
  Run("ALTER TABLE flaky_test_failures DROP CONSTRAINT known_failure_kind");
  kind.failures[0].failure_kind = "mystery";
  EXPECT_EQ(store->Write({&kind, 1})[0].outcome, WriteResult::Outcome::kInserted);
  EXPECT_EQ(Fetch(*store, "odd-kind").failures[0].failure_kind, "mystery");
}

TEST_F(PostgresValuesTest, MoreThanARowHoldsIsRefusedBeforeAnythingIsWritten) {
  const auto store = Open(OpenMode::kWrite);
  std::vector<RunRecord> batch = {BuildRecord("fine").Build(), BuildRecord("large").Fail("S.T").Build()};
  batch[1].failures[0].error_message->assign(store->limits().row_bytes + 1, 'x');
  const auto error = ErrorOf([&] { store->Write(batch); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kInvalid);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("'large'"), HasSubstr("a row of failures has")));
  EXPECT_EQ(store->Count({}), Totals());
}

}  // namespace
}  // namespace flaky
