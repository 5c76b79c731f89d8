// SPDX-License-Identifier: MIT
#include "transfer/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "history/fields.h"
#include "stores/fault_store.h"
#include "tests/support/limited_store.h"
#include "tests/support/part_counts.h"
#include "tests/support/record_builder.h"
#include "tests/transfer/verify_fixture.h"
#include "transfer/record_converter.h"

namespace flaky {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

INSTANTIATE_TEST_SUITE_P(Stores, VerifyTest, testing::Values(Kinds("memory", "sqlite"), Kinds("sqlite", "sqlite")),
                         [](const auto& pair) { return std::get<0>(pair.param) + "_" + std::get<1>(pair.param); });

TEST_P(VerifyTest, OrderAndPageSizeMakeNoDifference) {
  std::vector<RunRecord> records = Generated(300);
  Totals totals;
  Digest digest;
  for (const RunRecord& record : records) {
    ++totals.runs;
    totals.parts += static_cast<int64_t>(record.parts.size());
    totals.failures += static_cast<int64_t>(record.failures.size());
    digest += DigestOf(record);
  }
  std::vector<RunRecord> shuffled = records;
  std::ranges::reverse(shuffled);
  for (RunRecord& record : shuffled) {
    std::ranges::reverse(record.failures);
    std::ranges::reverse(record.parts);
  }
  Fill(records, shuffled);
  for (const BatchLimits& limits :
       {BatchLimits(), BatchLimits{1, 1 << 20}, BatchLimits{7, 1 << 20}, BatchLimits{4096, 3000}}) {
    VerifyOptions options;
    options.limits = limits;
    const VerifySummary summary = Run(options);
    EXPECT_TRUE(summary.SameAs(options));
    EXPECT_EQ(summary.equal, 300);
    EXPECT_EQ(summary.source.totals, totals);
    EXPECT_EQ(summary.target.totals, totals);
    EXPECT_EQ(summary.source.digest, digest) << "the same digest as a copy reports";
    EXPECT_EQ(summary.target.digest, digest);
    EXPECT_EQ(progress_.last.runs, 300);
    EXPECT_EQ(progress_.last.total_runs, 300);
    EXPECT_EQ(progress_.last.failures, totals.failures);
    int64_t runs_in_buckets = 0;
    Digest of_buckets;
    for (const auto& [key, bucket] : summary.buckets) {
      EXPECT_EQ(bucket.differences, 0);
      EXPECT_EQ(bucket.source.digest, bucket.target.digest);
      EXPECT_EQ(bucket.source.totals, bucket.target.totals);
      EXPECT_THAT(key.month, SizeIs(7));
      runs_in_buckets += bucket.source.totals.runs;
      of_buckets += bucket.source.digest;
    }
    EXPECT_EQ(runs_in_buckets, 300);
    EXPECT_EQ(of_buckets, digest);
  }
}

TEST_P(VerifyTest, EmptyStoresAreEqual) {
  Fill({}, {});
  const VerifySummary summary = Run();
  EXPECT_TRUE(summary.SameAs({}));
  EXPECT_EQ(summary.source.digest, Digest());
  EXPECT_THAT(summary.buckets, IsEmpty());
}

TEST_P(VerifyTest, AChangeInAnyFieldOfARunIsFound) {
  const std::vector<RunRecord> records = {BuildRecord("a").Part("p1", 0).Build(),
                                          BuildRecord("b").Project("x").Ended(At(9)).Fail("S.A").Build(),
                                          BuildRecord("c").Part("p3", 0).Build()};
  ChangeField count(-1);
  RunRecord any;
  VisitRun(any.run, count);
  ASSERT_GT(count.seen(), 10);
  for (int field = 1; field < count.seen(); ++field) {  // the first is the id
    ChangeField change(field);
    std::vector<RunRecord> changed = records;
    VisitRun(changed[1].run, change);
    EXPECT_THAT(Difference(records, changed), HasSubstr(change.name() + " is "));
    EXPECT_THAT(whats_, ElementsAre(Pair("b", testing::_)));
    EXPECT_THAT(Difference(changed, records), HasSubstr(change.name() + " is "));
  }
}

TEST_P(VerifyTest, AChangeInAnyFieldOfAPartIsFound) {
  const RunRecord record = BuildRecord("b").Part("p1", 0).Part("p2", 20).Build();
  ChangeField count(-1);
  Part any;
  VisitPart(any, count);
  for (int field = 0; field < count.seen(); ++field) {
    ChangeField change(field);
    RunRecord changed = record;
    VisitPart(changed.parts[1], change);
    if (change.name() == "roster_id") {  // every store requires the content of a named roster
      AddRosters(changed.rosters, GiveTests(changed.parts[1], {{"Suite.Test", {1, 0}}}));
    }
    const std::string what = Difference({record}, {changed});
    EXPECT_THAT(what, HasSubstr(field == 0 ? "part p2 is not in the target" : "part p2: " + change.name() + " is "));
  }
}

TEST_P(VerifyTest, AChangeInAnyFieldOfAFailureIsFound) {
  const RunRecord record = BuildRecord("b").Part("p1", 0, 1).Part("p2", 0, 1).Fail("S.A").Fail("S.B").Build();
  ChangeField count(-1);
  Failure any;
  VisitFailure(any, count);
  for (int field = 0; field < count.seen(); ++field) {
    ChangeField change(field);
    RunRecord changed = record;
    VisitFailure(changed.failures[0], change);
    if (change.name() == "part_id") changed.failures[0].part_id = "p1";
    EXPECT_THAT(Difference({record}, {changed}),
                AllOf(HasSubstr("the failure of S.A at "), HasSubstr(": " + change.name() + " is ")));
  }
}

TEST_P(VerifyTest, FindsOneCharacterOfALongMessage) {
  std::vector<RunRecord> records = Generated(200);
  std::vector<RunRecord> changed = records;
  const auto found = std::ranges::find_if(
      changed, [](const RunRecord& record) { return !record.failures.empty() && record.failures.size() > 1; });
  ASSERT_NE(found, changed.end());
  std::string& message = *found->failures.back().error_message;
  ASSERT_GT(message.size(), 150u);
  message[120] = message[120] == 'x' ? 'y' : 'x';
  EXPECT_THAT(Difference(records, changed), HasSubstr("error_message differs from byte 121 on, of "));
  EXPECT_THAT(whats_, ElementsAre(Pair(found->run.run_id, testing::_)));
}

TEST_P(VerifyTest, NamesMissingAndAdditionalRuns) {
  const std::vector<RunRecord> records = Generated(120);
  std::vector<RunRecord> source, target;
  std::map<std::string, Comparison> wanted;
  for (size_t i = 0; i < records.size(); ++i) {
    const bool in_source = !std::set<size_t>{0, 50, 51, 119}.contains(i);
    const bool in_target = !std::set<size_t>{1, 2, 60, 118}.contains(i);
    if (in_source) source.push_back(records[i]);
    if (in_target) target.push_back(records[i]);
    if (!in_source) wanted[records[i].run.run_id] = Comparison::kOnlyTarget;
    if (!in_target) wanted[records[i].run.run_id] = Comparison::kOnlySource;
  }
  Fill(source, target);
  for (const size_t page : {1, 10, 4096}) {
    VerifyOptions options;
    options.limits.records = page;
    const VerifySummary summary = Run(options);
    EXPECT_EQ(runs_, wanted);
    EXPECT_EQ(summary.equal, 112);
    EXPECT_FALSE(summary.SameAs(options));
    options.one_way = true;
    EXPECT_FALSE(summary.SameAs(options)) << "some are only in the source";
    int64_t differences = 0;
    for (const auto& [key, bucket] : summary.buckets) differences += bucket.differences;
    EXPECT_EQ(differences, 8);
  }
}

TEST_P(VerifyTest, ComparesStoresWithNothingInCommon) {
  std::vector<RunRecord> records = Generated(1200);
  const std::vector<RunRecord> first(records.begin(), records.begin() + 600);
  const std::vector<RunRecord> rest(records.begin() + 600, records.end());
  Fill(first, rest);
  const VerifySummary summary = Run();
  EXPECT_EQ(summary.only_source, 600);
  EXPECT_EQ(summary.only_target, 600);
  Fill(records, {});
  EXPECT_EQ(Run().only_source, 1200);
}

TEST_P(VerifyTest, ADifferentStartTimeIsOneDifference) {
  std::vector<RunRecord> records;
  for (int i = 0; i < 700; ++i) {
    records.push_back(BuildRecord("r" + std::to_string(i)).StartedAt(At(i)).Ended(At(i + 5)).Build());
  }
  std::vector<RunRecord> changed = records;
  for (const size_t i : {3, 300, 699}) changed[i].run.account.started_at = At(i % 2 == 0 ? 100'000'000 : -100'000'000);
  Fill(records, changed);
  const VerifySummary summary = Run();
  EXPECT_EQ(summary.different, 3);
  EXPECT_EQ(summary.only_source + summary.only_target, 0);
  EXPECT_EQ(summary.equal, 697);
  EXPECT_THAT(whats_["r300"], HasSubstr("started_at is "));
  const BucketKey january{std::nullopt, "2026-01"};
  EXPECT_EQ(summary.buckets.at(january).differences, 3);
  EXPECT_THAT(summary.buckets, SizeIs(3)) << "and two months in which the target has them";

  for (RunRecord& record : changed) record.run.account.started_at = record.run.account.started_at + kMicrosPerDay;
  Fill(records, changed);
  EXPECT_EQ(Run().different, 700) << "more than are looked up at once";
}

TEST_P(VerifyTest, OneProjectIsComparedOnBothSides) {
  const auto run = [](const std::string& id, const std::string& project) {
    BuildRecord record(id);
    return (project.empty() ? record : record.Project(project)).Ended(At(5)).Build();
  };
  Fill({run("1", "a"), run("2", "a"), run("3", "b"), run("4", ""), run("5", "b"), run("6", "c")},
       {run("1", "a"), run("2", "b"), run("3", "a"), run("4", ""), run("5", "a")});
  VerifyOptions options;
  options.projects = {"a"};
  VerifySummary summary = Run(options);
  EXPECT_EQ(summary.equal, 1);
  EXPECT_EQ(summary.different, 3);
  EXPECT_EQ(summary.source.totals.runs, 2);
  EXPECT_EQ(summary.target.totals.runs, 3);
  EXPECT_EQ(whats_["2"], "project is `a` in the source and `b` in the target");

  options.projects = {"a", "b", "a"};
  summary = Run(options);
  EXPECT_EQ(summary.equal, 1);
  EXPECT_EQ(summary.different, 3) << "each is compared once";
  options.projects = {std::nullopt};
  EXPECT_EQ(Run(options).equal, 1);
  options.projects = {"c"};
  EXPECT_EQ(Run(options).only_source, 1);
}

TEST_P(VerifyTest, OneWayIgnoresWhatOnlyTheTargetHas) {
  const RunRecord part = BuildRecord("grown").Part("p1", 0, 1).Fail("S.A").Build();
  const RunRecord grown = BuildRecord("grown").Part("p1", 0, 1).Fail("S.A").Part("p2", 30).Build();
  const RunRecord more = BuildRecord("more").Part("p3", 0).Build();
  VerifyOptions options;
  options.one_way = true;
  Fill({part}, {grown, more});
  VerifySummary summary = Run(options);
  EXPECT_TRUE(summary.SameAs(options));
  EXPECT_EQ(summary.ahead, 1);
  EXPECT_EQ(summary.only_target, 1);
  for (const auto& [key, bucket] : summary.buckets) EXPECT_EQ(bucket.differences, 0);
  EXPECT_FALSE(Run().SameAs({})) << "but not in both directions";

  Fill({grown, more}, {part});
  summary = Run(options);
  EXPECT_FALSE(summary.SameAs(options));
  EXPECT_EQ(summary.different, 1);
  EXPECT_EQ(summary.only_source, 1);
}

TEST_P(VerifyTest, ASampleAlwaysHasTheSameCompleteRuns) {
  std::vector<RunRecord> records = Generated(1000);
  std::vector<RunRecord> changed = records;
  std::set<std::string> with_failures;
  for (RunRecord& record : changed) {
    for (Failure& failure : record.failures) failure.error_message = "another";
    if (!record.failures.empty()) with_failures.insert(record.run.run_id);
  }
  Fill(records, changed);
  VerifyOptions options;
  options.share = 0.2;
  VerifySummary summary = Run(options);
  EXPECT_EQ(summary.source.totals.runs, summary.equal + summary.different);
  EXPECT_EQ(summary.target.totals.runs, summary.source.totals.runs);
  EXPECT_NEAR(static_cast<double>(summary.source.totals.runs), 200, 60);
  EXPECT_GT(summary.different, 0);
  const auto small = runs_;
  for (const auto& [run_id, comparison] : small) EXPECT_TRUE(with_failures.contains(run_id));
  options.limits.records = 17;
  Run(options);
  EXPECT_EQ(runs_, small);
  options.share = 0.6;
  Run(options);
  for (const auto& run : small) EXPECT_TRUE(runs_.contains(run.first));

  Fill(records, {});
  EXPECT_NEAR(static_cast<double>(Run(options).only_source), 600, 80);
}

TEST_P(VerifyTest, RunsOnlyLooksAtTheirFieldsAndAtTheCounts) {
  const RunRecord record = BuildRecord("a").Part("p1", 0, 1).Fail("S.A", "one").Build();
  VerifyOptions options;
  options.runs_only = true;
  Fill({record}, {BuildRecord("a").Part("p1", 0, 1).Fail("S.A", "two").Build()});
  VerifySummary summary = Run(options);
  EXPECT_TRUE(summary.SameAs(options)) << "it does not compare failures";
  EXPECT_EQ(summary.source.totals, (Totals{1, 1, 1}));

  RunRecord without = record;
  without.failures.clear();
  Fill({record}, {without});
  summary = Run(options);
  EXPECT_FALSE(summary.SameAs(options));
  EXPECT_EQ(summary.target.totals, (Totals{1, 1, 0}));
  options.one_way = true;
  EXPECT_FALSE(summary.SameAs(options));

  RunRecord other = record;
  other.run.branch = "dev";
  options.one_way = false;
  Fill({record}, {other});
  EXPECT_EQ(Run(options).different, 1);
  other.run.account.started_at = At(77);
  Fill({record}, {other});
  EXPECT_EQ(Run(options).different, 1);
}

TEST_P(VerifyTest, EndsWhenStopReturnsTrue) {
  Fill(Generated(300), {});
  VerifyOptions options;
  options.limits.records = 10;
  int pages = 0;
  options.stop = [&] { return ++pages == 5; };
  const VerifySummary summary = Run(options);
  EXPECT_TRUE(summary.stopped);
  EXPECT_EQ(pages, 5);
  EXPECT_LT(summary.source.totals.runs, 100);
  EXPECT_EQ(summary.only_source, 0) << "only certain results are reported";
}

VerifySummary Compare(Store& source, Store& target) {
  CountingProgress progress;
  return Verify(source, target, {}, progress);
}

TEST_P(VerifyTest, ComparesConvertedRecordsAsConverted) {
  const RunRecord whole = BuildRecord("long").Part("p1", 0, 1).Fail("S.A", std::string(5000, 'x')).Build();
  RunRecord cut = whole;
  ASSERT_THAT(RecordConverter({1000}, "small").Fit(cut), SizeIs(1));
  Fill({whole}, {cut});
  EXPECT_EQ(Run().different, 1) << "both stores can hold it";

  LimitedStore small(std::move(target_), {1000});
  VerifySummary summary = Compare(*source_, small);
  EXPECT_TRUE(summary.SameAs({}));
  EXPECT_EQ(summary.converted, 1);
  EXPECT_EQ(summary.source.digest, summary.target.digest);
  summary = Compare(small, *source_);
  EXPECT_TRUE(summary.SameAs({})) << "in either direction";

  RunRecord other = cut;
  other.failures[0].error_message->front() = 'y';
  Fill({whole}, {other});
  LimitedStore again(std::move(target_), {1000});
  EXPECT_EQ(Compare(*source_, again).different, 1);
}

TEST_P(VerifyTest, PassesOnWhatAStoreThrows) {
  Fill(Generated(50), Generated(50));
  FaultStore broken(std::move(target_));
  broken.Inject({.verb = StoreVerb::kRead, .kind = ErrorKind::kPermanent, .times = 2});
  EXPECT_THROW(Compare(*source_, broken), StoreError);
  EXPECT_THROW(Compare(broken, *source_), StoreError);
}

}  // namespace
}  // namespace flaky
