// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "tests/stores/postgres_support.h"
#include "tests/support/part_counts.h"
#include "tests/support/record_builder.h"
#include "tests/support/walk_pages.h"

// Values in a PostgreSQL database that no record can hold, converted as docs/reference/conversion.md says.
namespace flaky {
namespace {

using testing::IsEmpty;

constexpr const char* kOddTimes[] = {"infinity", "-infinity", "20000-01-01T00:00:00Z", "4000-01-01T00:00:00Z BC"};

class PostgresMistyped : public PostgresTest {
 protected:
  // Tables of another tool, with fewer constraints and other types.
  void MakeTables() const {
    Run("CREATE TABLE flaky_test_runs (run_id TEXT, project TEXT, started_at TIMESTAMPTZ, ended_at TIMESTAMPTZ, "
        "duration_ms NUMERIC, status TEXT, total_tests DOUBLE PRECISION, passed_tests INTEGER, failed_tests INTEGER, "
        "errors_between_tests INTEGER, git_sha INTEGER, git_dirty REAL, runtime_version TEXT, test_args TEXT)");
    Run("CREATE TABLE flaky_test_failures (id SERIAL PRIMARY KEY, run_id TEXT, test_file TEXT, test_name TEXT, "
        "failure_kind TEXT, error_message TEXT, error_stack TEXT, duration_ms INTEGER, failed_at TIMESTAMPTZ)");
  }
};

TEST_F(PostgresMistyped, ValuesAreConvertedAndReported) {
  MakeTables();
  Run("INSERT INTO flaky_test_runs (run_id, started_at, ended_at, duration_ms, total_tests, git_sha, git_dirty) VALUES "
      "('a', 'infinity', '-infinity', 2.5, 'Infinity', 12, 7), "
      "('b', '20000-01-01Z', '4000-01-01Z BC', 1e30, 'NaN', NULL, 'NaN'), "
      "('c', NULL, NULL, 3, 4, NULL, 0), "
      "('plain', '2026-01-01Z', '2026-01-02Z', 3, 4, NULL, NULL)");
  Run("INSERT INTO flaky_test_failures (run_id, failed_at, test_name) VALUES ('c', 'infinity', 'T'), ('c', NULL, 'T')");
  const auto store = Open(OpenMode::kRead);
  const Page page = store->Read({});
  std::map<std::string, flaky::Run> runs;
  for (const RunRecord& record : page.records) runs[record.run.run_id] = record.run;
  ASSERT_EQ(runs.size(), 4u);
  for (const char* id : {"a", "b", "c"}) EXPECT_EQ(runs[id].account.started_at, Timestamp{0});
  for (const char* id : {"a", "b"}) EXPECT_EQ(runs[id].account.ended_at, std::nullopt);
  EXPECT_EQ(runs["a"].account.duration_ms, 3);
  EXPECT_EQ(runs["b"].account.duration_ms, std::nullopt);
  EXPECT_EQ(runs["a"].account.total_tests, std::nullopt);
  EXPECT_EQ(runs["c"].account.total_tests, 4);
  EXPECT_EQ(runs["a"].git_sha, "12");
  EXPECT_EQ(runs["a"].git_dirty, true);
  EXPECT_EQ(runs["b"].git_dirty, std::nullopt);
  EXPECT_EQ(runs["c"].git_dirty, false);

  std::map<std::string, std::string> told;
  for (const ConvertedRun& run : page.converted) {
    for (const Conversion& each : run.conversions) {
      EXPECT_EQ(each.kind, Conversion::Kind::kInvalid);
      told[run.run_id + " " + each.column + " " + std::to_string(each.amount)] = each.example;
    }
  }
  const std::string epoch = " as 1970-01-01T00:00:00.000Z";
  const std::map<std::string, std::string> expected = {
      {"a runs.started_at 1", "'infinity'" + epoch},
      {"a runs.ended_at 1", "'-infinity' as nothing"},
      {"a runs.duration_ms 1", "2.5 as 3"},
      {"a runs.total_tests 1", "Inf as nothing"},
      {"a runs.git_dirty 1", "7 as true"},
      {"b runs.started_at 1", "'a time after the year 9999'" + epoch},
      {"b runs.ended_at 1", "'a time before the year 0' as nothing"},
      {"b runs.duration_ms 1", "1.0e+30 as nothing"},
      {"b runs.total_tests 1", "NaN as nothing"},
      {"b runs.git_dirty 1", "NaN as nothing"},
      {"c runs.started_at 1", "NULL" + epoch},
      {"c failures.failed_at 2", "'infinity'" + epoch},
      {"c failures.test_file 2", "NULL as ''"},
      {"c failures.failure_kind 2", "NULL as ''"},
  };
  EXPECT_EQ(told, expected);
}

TEST_F(PostgresMistyped, NoTimeHidesARunOrShowsItTwice) {
  for (const bool ours : {false, true}) {
    if (ours) {
      Run("DROP TABLE flaky_test_failures, flaky_test_runs CASCADE");
      Open(OpenMode::kWrite);
    } else {
      MakeTables();
    }
    std::vector<std::string> times(std::begin(kOddTimes), std::end(kOddTimes));
    for (const char* time : {"1960-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2026-01-01T00:00:00Z"}) {
      times.emplace_back(time);
    }
    for (const std::string& time : times) {
      for (const char* twin : {"a", "b", "c"}) {
        Run("INSERT INTO flaky_test_runs (run_id, started_at) VALUES ('" + std::string(twin) + time + "', '" + time +
            "')");
      }
    }
    if (!ours) Run("INSERT INTO flaky_test_runs (run_id) VALUES ('x'), ('y'), ('z')");
    const auto store = Open(OpenMode::kRead);
    const std::vector<RunRecord> all = ReadAll(*store);
    ASSERT_EQ(all.size(), 3 * (times.size() + (ours ? 0 : 1)));

    struct Window {
      const char* since;
      const char* until;
    };
    for (const Window& window :
         {Window{nullptr, nullptr}, Window{"1965-01-01T00:00:00Z", nullptr}, Window{nullptr, "2000-01-01T00:00:00Z"},
          Window{"1970-01-01T00:00:00.001Z", nullptr}, Window{nullptr, "1970-01-01T00:00:00Z"},
          Window{"1965-01-01T00:00:00Z", "2026-01-01T00:00:00.001Z"}}) {
      RunFilter filter;
      if (window.since) filter.since = Timestamp::Parse(window.since);
      if (window.until) filter.until = Timestamp::Parse(window.until);
      std::set<std::string> expected;
      for (const RunRecord& record : all) {
        const Timestamp at = record.run.account.started_at;
        if ((!filter.since || at >= *filter.since) && (!filter.until || at < *filter.until)) {
          expected.insert(record.run.run_id);
        }
      }
      EXPECT_EQ(store->Count(filter).runs, static_cast<int64_t>(expected.size()));
      for (const Direction direction : {Direction::kOldestFirst, Direction::kNewestFirst}) {
        PageRequest request{.filter = filter, .after = std::nullopt, .direction = direction};
        request.max_records = 1;
        std::set<std::string> seen;
        for (const RunRecord& record : ReadAll(*store, request)) EXPECT_TRUE(seen.insert(record.run.run_id).second);
        EXPECT_EQ(seen, expected);
      }
    }
  }
}

TEST_F(PostgresMistyped, FailuresWithoutATimeAreShownAsOldOnes) {
  const auto store = Open(OpenMode::kWrite);
  Run("INSERT INTO flaky_test_runs (run_id, started_at, ended_at) VALUES ('died', '2026-01-01Z', 'infinity'), "
      "('ended', "
      "'2026-01-01Z', '2026-01-01T00:00:01Z')");
  const auto insert = [&](const std::string& run, const std::string& time, int amount) {
    Run("INSERT INTO flaky_test_failures (run_id, test_file, test_name, failure_kind, failed_at) SELECT '" + run +
        "', 'f', 't', 'unknown', '" + time + "' FROM generate_series(1, " + std::to_string(amount) + ")");
  };
  for (const char* time : kOddTimes) insert("died", time, 3);
  for (const char* time : {"1960-01-01Z", "1970-01-01Z", "2026-01-01Z"}) insert("ended", time, 2);
  const auto visit = [&](const FailureFilter& filter) {
    std::vector<FailureKey> keys;
    store->VisitFailures(filter, [&](const FailureView& view) {
      keys.push_back({view.failed_at, view.id});
      EXPECT_EQ(view.run_ended, view.run_id == "ended");
    });
    return keys;
  };
  const std::vector<FailureKey> all =
      ExpectWindows(visit, {"1950-01-01T00:00:00Z", "1965-01-01T00:00:00Z", "1970-01-01T00:00:00Z"});
  EXPECT_EQ(all.size(), 18u);
  // More than one answer of the server holds.
  for (const char* time : {"infinity", "-infinity"}) insert("died", time, 2500);
  EXPECT_EQ(visit({}).size(), 5018u);
}

TEST_F(PostgresMistyped, MissingAndDamagedRostersAreLeftOut) {
  const auto store = Open(OpenMode::kWrite);
  std::vector<RunRecord> records = {BuildRecord("a").Part("p", 0).Part("q", 5).Build(),
                                    BuildRecord("b").Part("p", 0).Build(), BuildRecord("fine").Part("p", 0).Build()};
  for (RunRecord& record : records) {
    record.rosters = GiveTests(record.parts[0], {{record.run.run_id, {1, 0}}});
    for (Part& part : record.parts) part.roster_id = record.rosters[0]->roster_id;
  }
  store->Write(records);
  Run("ALTER TABLE flaky_test_parts DROP CONSTRAINT IF EXISTS flaky_test_parts_roster_id_fkey");
  Run("DELETE FROM flaky_test_rosters WHERE roster_id = '" + *records[0].parts[0].roster_id + "'");
  Run("UPDATE flaky_test_rosters SET tests = '{}' WHERE roster_id = '" + *records[1].parts[0].roster_id + "'");
  const Page page = Open(OpenMode::kRead)->Read({});
  ASSERT_EQ(page.records.size(), 3u);
  std::map<std::string, std::vector<Conversion>> told;
  for (const ConvertedRun& run : page.converted) told[run.run_id] = run.conversions;
  EXPECT_EQ(told.size(), 2u);
  for (const RunRecord& record : page.records) {
    const size_t run = record.run.run_id == "a" ? 0 : record.run.run_id == "b" ? 1 : 2;
    if (run == 2) {
      EXPECT_EQ(DigestOf(record), DigestOf(records[2]));
      continue;
    }
    EXPECT_THAT(record.rosters, IsEmpty());
    for (const Part& part : record.parts) EXPECT_EQ(part.roster_id, std::nullopt);
    EXPECT_EQ(told[record.run.run_id],
              (std::vector<Conversion>{{"parts.roster_id", Conversion::Kind::kLeftOut, run == 0 ? 2 : 1,
                                        "'" + *records[run].parts[0].roster_id + "' as nothing"}}));
  }
}

TEST_F(PostgresMistyped, ARunWithThemIsCompletedAndReplaced) {
  const auto store = Open(OpenMode::kWrite);
  const std::vector<RunRecord> records = {BuildRecord("odd").Fail("S.T").Fail("S.U").Build(),
                                          BuildRecord("other").Part("p", 0, 1).Fail("S.T").Build()};
  store->Write(records);
  Run("UPDATE flaky_test_runs SET started_at = 'infinity' WHERE run_id = 'odd'");
  Run("UPDATE flaky_test_failures SET failed_at = '-infinity' WHERE test_name = 'S.U'");
  const std::string id = "odd";
  RunRecord more = store->Fetch({&id, 1}).at(0);
  more.run.branch = "main";
  more.failures.push_back(more.failures.front());
  more.failures.back().test_name = "S.New";
  EXPECT_EQ(store->Write({&more, 1}).at(0).outcome, WriteResult::Outcome::kCompleted);
  EXPECT_EQ(DigestOf(store->Fetch({&id, 1}).at(0)), DigestOf(more));
  EXPECT_EQ(store->Write({&records[0], 1}, OnExisting::kReplace).at(0).outcome, WriteResult::Outcome::kReplaced);
  EXPECT_EQ(SumOf(ReadAll(*store)), SumOf(records));
  EXPECT_THAT(store->Read({}).converted, IsEmpty());
}

}  // namespace
}  // namespace flaky
