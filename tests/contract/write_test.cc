// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <span>
#include <thread>

#include "history/text.h"
#include "tests/contract/contract.h"
#include "tests/support/generate_history.h"
#include "tests/support/part_counts.h"
#include "tests/support/record_builder.h"

namespace flaky {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RunRecord TwoPartsOf(const RunRecord& whole, size_t first, size_t count) {
  RunRecord record = whole;
  record.parts.assign(whole.parts.begin() + static_cast<std::ptrdiff_t>(first),
                      whole.parts.begin() + static_cast<std::ptrdiff_t>(first + count));
  std::erase_if(record.failures, [&](const Failure& failure) {
    return std::none_of(record.parts.begin(), record.parts.end(),
                        [&](const Part& part) { return part.part_id == failure.part_id; });
  });
  SumParts(record);
  return record;
}

RunRecord ThreeParts() {
  return BuildRecord("run")
      .Part("p1", 0, 1)
      .Fail("Suite.Test")
      .Part("p2", 5)
      .Part("p3", 20, 1)
      .Fail("Suite.Other", "two")
      .Fail("Suite.Other", "three")
      .Build();
}

std::vector<RunRecord> History(int64_t runs) {
  HistoryShape shape;
  shape.runs = runs;
  shape.tests = 50;
  shape.npm_share = 0.3;
  return GenerateHistory(shape);
}

TEST_P(StoreContract, AFreshStoreIsEmpty) {
  EXPECT_EQ(store().Count({}), Totals());
  EXPECT_TRUE(ReadAll(store()).empty());
  EXPECT_TRUE(store().FindRuns("", 10).empty());
  const std::string id = "absent";
  EXPECT_TRUE(store().Fetch({&id, 1}).empty());
  EXPECT_TRUE(store().Write({}).empty());
}

TEST_P(StoreContract, SchemaIsUpToDateAfterOpeningForWriting) {
  const SchemaState state = store().schema();
  EXPECT_TRUE(state.pending.empty());
  EXPECT_EQ(state.found, state.known);
  if (GetParam().has_schema) {
    EXPECT_GT(state.known, 0);
  }
}

TEST_P(StoreContract, WhatIsWrittenIsReadBack) {
  const RunRecord record = ThreeParts();
  EXPECT_EQ(WriteOne(record).outcome, Outcome::kInserted);
  EXPECT_TRUE(SameRecord(FetchOne("run"), record));
  EXPECT_EQ(store().Count({}), (Totals{1, 3, 3}));
}

TEST_P(StoreContract, WritingTheSameAgainChangesNothing) {
  const RunRecord record = ThreeParts();
  WriteOne(record);
  EXPECT_EQ(WriteOne(record).outcome, Outcome::kUnchanged);
  EXPECT_EQ(store().Count({}), (Totals{1, 3, 3}));
  EXPECT_TRUE(SameRecord(FetchOne("run"), record));
}

TEST_P(StoreContract, PartsThatArriveInAnyOrderMakeTheSameRun) {
  const RunRecord whole = ThreeParts();
  std::vector<size_t> order = {0, 1, 2};
  do {
    const std::unique_ptr<Place> place = GetParam().make_place();
    const std::unique_ptr<Store> fresh = place->Open(OpenMode::kWrite);
    std::vector<Outcome> outcomes;
    for (const size_t part : order) outcomes.push_back(WriteOne(*fresh, TwoPartsOf(whole, part, 1)).outcome);
    EXPECT_THAT(outcomes, ElementsAre(Outcome::kInserted, Outcome::kCompleted, Outcome::kCompleted));
    EXPECT_TRUE(SameRecord(FetchOne(*fresh, "run"), whole)) << order[0] << order[1] << order[2];
    EXPECT_EQ(RunIdsOf(ReadAll(*fresh)), std::vector<std::string>{"run"});
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_P(StoreContract, APartSentAgainAddsNothing) {
  const RunRecord whole = ThreeParts();
  WriteOne(TwoPartsOf(whole, 0, 2));
  EXPECT_EQ(WriteOne(TwoPartsOf(whole, 0, 1)).outcome, Outcome::kUnchanged) << "contained";
  EXPECT_EQ(WriteOne(TwoPartsOf(whole, 1, 2)).outcome, Outcome::kCompleted) << "half of it is new";
  EXPECT_TRUE(SameRecord(FetchOne("run"), whole));
}

TEST_P(StoreContract, AnUnfinishedPartIsReplacedWhenFinished) {
  const RunRecord done = BuildRecord("run").Part("p1", 0, 1).Fail("Suite.Test", "the whole message").Build();
  RunRecord begun = done;
  Account& account = begun.parts.front().account;
  account = Account();
  account.started_at = At(0);
  begun.failures.front().error_message = "died in it";
  SumParts(begun);
  WriteOne(begun);
  EXPECT_TRUE(SameRecord(FetchOne("run"), begun));
  EXPECT_EQ(WriteOne(done).outcome, Outcome::kCompleted);
  EXPECT_TRUE(SameRecord(FetchOne("run"), done));
  EXPECT_EQ(WriteOne(begun).outcome, Outcome::kUnchanged) << "late, and with less information";
  EXPECT_TRUE(SameRecord(FetchOne("run"), done));
}

TEST_P(StoreContract, ARunWithoutPartsCanBeCompleted) {
  const RunRecord begun = BuildRecord("run").Project("p").Build();
  const RunRecord ended = BuildRecord("run").Project("p").Ended(At(9), 1).Fail("outer > inner > name").Build();
  WriteOne(begun);
  EXPECT_EQ(WriteOne(ended).outcome, Outcome::kCompleted);
  EXPECT_EQ(WriteOne(ended).outcome, Outcome::kUnchanged);
  EXPECT_EQ(WriteOne(begun).outcome, Outcome::kUnchanged);
  EXPECT_TRUE(SameRecord(FetchOne("run"), ended));
}

TEST_P(StoreContract, AConflictIsReportedAndNotWritten) {
  const RunRecord mine = ThreeParts();
  RunRecord other = mine;
  other.parts[1].account.passed_tests = 77;
  SumParts(other);
  WriteOne(mine);
  const std::vector<RunRecord> batch = {BuildRecord("before").Build(), other, BuildRecord("after").Build()};
  const std::vector<WriteResult> results = store().Write(batch);
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[0].outcome, Outcome::kInserted);
  EXPECT_EQ(results[1].outcome, Outcome::kConflict);
  EXPECT_THAT(results[1].conflict, HasSubstr("p2"));
  EXPECT_EQ(results[2].outcome, Outcome::kInserted) << "the others are written";
  EXPECT_TRUE(SameRecord(FetchOne("run"), mine));
}

TEST_P(StoreContract, ABatchHasOneResultPerRecordInOrder) {
  const RunRecord known = BuildRecord("known").Part("p", 0).Build();
  WriteOne(known);
  RunRecord grown = BuildRecord("known").Part("p", 0).Part("q", 3).Build();
  const std::vector<RunRecord> batch = {BuildRecord("new").Build(), grown};
  const auto results = store().Write(batch);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].outcome, Outcome::kInserted);
  EXPECT_EQ(results[1].outcome, Outcome::kCompleted);
  EXPECT_EQ(store().Write(batch)[1].outcome, Outcome::kUnchanged);
}

TEST_P(StoreContract, EqualFailuresAreAllKept) {
  const RunRecord record = BuildRecord("run").Ended(At(5), 1).Fail("S.T").Fail("S.T").Fail("S.T").Build();
  WriteOne(record);
  EXPECT_EQ(FetchOne("run").failures.size(), 3u);
  EXPECT_EQ(WriteOne(record).outcome, Outcome::kUnchanged);
  EXPECT_EQ(FetchOne("run").failures.size(), 3u);
}

TEST_P(StoreContract, AbsentIsNotEmptyAndNotZero) {
  const RunRecord bare = BuildRecord("bare").Build();
  RunRecord empty = BuildRecord("empty").Project("").Fail("", "").Build();
  empty.run.test_args = empty.run.git_sha = empty.run.branch = "";
  empty.run.account.total_tests = empty.run.account.duration_ms = 0;
  empty.run.git_dirty = false;
  empty.failures.front().test_file = "";
  empty.failures.front().line = 0;
  empty.failures.front().signal = "";
  RunRecord dirty = BuildRecord("dirty").Build();
  dirty.run.git_dirty = true;
  for (const RunRecord& record : {bare, empty, dirty}) {
    WriteOne(record);
    EXPECT_TRUE(SameRecord(FetchOne(record.run.run_id), record));
  }
  EXPECT_FALSE(FetchOne("bare").run.git_dirty.has_value());
}

TEST_P(StoreContract, NumbersAndTimesKeepTheirWholeRange) {
  using Limits = std::numeric_limits<int64_t>;
  RunRecord record = BuildRecord("run").Ended(At(1)).Fail("S.T").Build();
  record.run.account.duration_ms = Limits::max();
  record.run.account.total_tests = Limits::min();
  record.run.account.failed_tests = -1;
  record.failures[0].duration_ms = Limits::max();
  record.failures[0].shuffle_seed = Limits::min();
  record.failures[0].failed_at = *Timestamp::Parse("9999-12-31T23:59:59.999999Z");
  record.run.account.started_at = *Timestamp::Parse("0001-01-01T00:00:00.000001Z");
  record.run.account.ended_at = *Timestamp::Parse("2026-02-03T04:05:06.123456Z");
  WriteOne(record);
  EXPECT_TRUE(SameRecord(FetchOne("run"), record));
}

TEST_P(StoreContract, TextsThatLookLikeSyntaxAreJustTexts) {
  const std::vector<std::string> texts = {"'; DROP TABLE flaky_test_runs; --",
                                          "\"quoted\" and `ticked` and [bracketed]",
                                          "two\nlines\r\nand\ta tab",
                                          "%_*?\\ LIKE and GLOB",
                                          "emoji 🦊👩‍👩‍👧 and ünïcödé, שלום",
                                          "NULL",
                                          "123",
                                          "1e400",
                                          "\x01\x1b[31m\x7f",
                                          " leading and trailing ",
                                          "{prefix} ${x} %s ?1 :name",
                                          "\xef\xbb\xbf BOM"};
  for (const std::string& text : texts) {
    RunRecord record = BuildRecord("run " + text).Project(text).Part("part " + text, 0).Fail(text, text).Build();
    record.failures.front().test_file = text;
    if (GetParam().keeps_any_kind) record.failures.front().failure_kind = text;
    record.run.branch = record.run.test_args = record.run.ci_url = record.parts.front().variant = text;
    ASSERT_TRUE(IsStorable(text));
    WriteOne(record);
    EXPECT_TRUE(SameRecord(FetchOne(record.run.run_id), record)) << text;
    RunFilter filter;
    filter.project = text;
    EXPECT_EQ(store().Count(filter).runs, 1) << text;
    EXPECT_THAT(store().FindRuns("run " + text, 9), testing::Contains("run " + text));
  }
  EXPECT_EQ(ReadAll(store()).size(), texts.size());
}

TEST_P(StoreContract, LongMessagesAreKeptCompletely) {
  // As long as the store accepts, or 10 MiB, minus some room for the row's other texts.
  const size_t longest = std::min(store().limits().row_bytes, size_t{10} << 20) - 100;
  const RunRecord record = BuildRecord("run")
                               .Ended(At(3), 2)
                               .Fail("S.A", std::string(64 << 10, 'x'))
                               .Fail("S.B", std::string(longest - 3, 'y') + "end")
                               .Build();
  WriteOne(record);
  EXPECT_TRUE(SameRecord(FetchOne("run"), record));
  const std::vector<RunRecord> walked = ReadAll(store());
  ASSERT_EQ(walked.size(), 1u);
  EXPECT_TRUE(SameRecord(walked.front(), record));
}

TEST_P(StoreContract, ARosterThatDoesNotMatchItsIdIsRefused) {
  RunRecord record = BuildRecord("run").Part("p", 0).Build();
  const std::string id = record.rosters.front()->roster_id;
  record.rosters.front() = std::make_shared<const Roster>(Roster{id, R"({"Suite.Forged":1})"});
  const std::vector<RunRecord> batch = {BuildRecord("other").Build(), record};
  try {
    store().Write(batch);
    FAIL() << "written";
  } catch (const StoreError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error.what(), HasSubstr(id));
  }
  record.rosters.clear();
  EXPECT_THROW(WriteOne(record), StoreError) << "the part's roster is missing";
  EXPECT_EQ(store().Count({}), Totals()) << "a failed call leaves nothing";
}

TEST_P(StoreContract, RostersAreSharedAndReadBack) {
  for (int i = 0; i < 20; ++i) {
    RunRecord record = BuildRecord("run" + std::to_string(i)).Part("p", i).Build();
    if (i % 2 == 1) {
      GiveTests(record, {{"Odd.Test", {static_cast<int64_t>(i % 4), 1}}});
    }
    WriteOne(record);
    EXPECT_TRUE(SameRecord(FetchOne(record.run.run_id), record));
  }
  for (const RunRecord& record : ReadAll(store())) EXPECT_EQ(record.rosters.size(), 2u) << "a roster and its list";
}

TEST_P(StoreContract, TheDigestIsTheSameInEveryStore) {
  const std::vector<RunRecord> written = History(300);
  const std::span<const RunRecord> all(written);
  store().Write(all.subspan(0, 100));
  store().Write(all.subspan(100));
  PageRequest request;
  request.max_records = 7;
  EXPECT_EQ(Sum(ReadAll(store(), request)), Sum(written));
  EXPECT_EQ(RunIdsOf(ReadAll(store(), request)), RunIdsOf(written)) << "they were generated oldest first";
}

TEST_P(StoreContract, ABulkWriteIsCompleteOnceFinished) {
  const auto place = GetParam().make_place();
  const std::vector<RunRecord> records = History(60);
  {
    const auto bulk = place->Open(OpenMode::kBulk);
    for (size_t at = 0; at < records.size(); at += 20) bulk->Write(std::span(records).subspan(at, 20));
    EXPECT_EQ(Sum(ReadAll(*place->Open(OpenMode::kRead))), Sum(records)) << "readable during the copy";
    bulk->Finish();
    EXPECT_THAT(bulk->schema().pending, testing::IsEmpty());
    EXPECT_EQ(bulk->Write(std::span(records).first(1))[0].outcome, WriteResult::Outcome::kUnchanged);
  }
  const auto reader = place->Open(OpenMode::kRead);
  EXPECT_THAT(reader->schema().pending, testing::IsEmpty());
  EXPECT_EQ(Sum(ReadAll(*reader)), Sum(records));
}

TEST_P(StoreContract, AnUnfinishedBulkWriteIsCompletedLater) {
  const auto place = GetParam().make_place();
  const std::vector<RunRecord> records = History(60);
  place->Open(OpenMode::kBulk)->Write(std::span(records).first(30));
  const auto next = place->Open(OpenMode::kWrite);
  EXPECT_THAT(next->schema().pending, testing::IsEmpty());
  next->Write(records);
  EXPECT_EQ(Sum(ReadAll(*next)), Sum(records));
}

TEST_P(StoreContract, AStoreOpenedForReadingDoesNotWrite) {
  WriteOne(BuildRecord("run").Build());
  const std::unique_ptr<Store> reader = Open(OpenMode::kRead);
  const RunRecord record = BuildRecord("other").Build();
  EXPECT_THROW(reader->Write({&record, 1}), StoreError);
  EXPECT_EQ(RunIdsOf(ReadAll(*reader)), std::vector<std::string>{"run"});
}

TEST_P(StoreContract, TwoOpenStoresSeeEachOther) {
  const std::unique_ptr<Store> other = Open(OpenMode::kWrite);
  const RunRecord whole = ThreeParts();
  WriteOne(store(), TwoPartsOf(whole, 0, 1));
  EXPECT_EQ(WriteOne(*other, TwoPartsOf(whole, 1, 1)).outcome, Outcome::kCompleted);
  EXPECT_EQ(WriteOne(store(), TwoPartsOf(whole, 2, 1)).outcome, Outcome::kCompleted);
  EXPECT_TRUE(SameRecord(FetchOne(*other, "run"), whole));
}

// Writes as the program does, which repeats what failed because of other writers. A busy server may refuse many times.
void WriteDespiteOthers(Store& store, std::span<const RunRecord> records) {
  constexpr int kTries = 100;
  for (int tries = 1;; ++tries) {
    try {
      store.Write(records);
      return;
    } catch (const StoreError& error) {
      if (error.kind() != ErrorKind::kTransient || tries == kTries) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
}

TEST_P(StoreContract, ConcurrentWritersKeepEverything) {
  constexpr int kWriters = 4;
  constexpr int kRuns = 25;
  std::vector<std::unique_ptr<Store>> stores;
  for (int i = 0; i < kWriters; ++i) stores.push_back(Open(OpenMode::kWrite));
  std::vector<std::jthread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      for (int run = 0; run < kRuns; ++run) {
        // Every writer adds its own part to the same runs, and writes one run that no other writer has.
        const std::string mine = std::to_string(writer);
        const std::vector<RunRecord> batch = {
            BuildRecord("shared" + std::to_string(run)).Part("part" + mine, writer, 1).Fail("S.T", mine).Build(),
            BuildRecord("own" + mine + "-" + std::to_string(run)).Build()};
        WriteDespiteOthers(*stores[static_cast<size_t>(writer)], batch);
      }
    });
  }
  threads.clear();  // joins them
  EXPECT_EQ(store().Count({}), (Totals{kRuns + kRuns * kWriters, kRuns * kWriters, kRuns * kWriters}));
  const RunRecord shared = FetchOne("shared3");
  EXPECT_EQ(shared.parts.size(), static_cast<size_t>(kWriters));
  EXPECT_EQ(shared.run.account.failed_tests, kWriters);
}

}  // namespace
}  // namespace flaky
