#include <gmock/gmock.h>

#include <array>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/stores/mistyped_database.h"
#include "tests/stores/mistyped_literals.h"
#include "tests/stores/mistyped_walk.h"
#include "tests/stores/store_support.h"

// Times that another tool may leave in a database: every run and failure is still read exactly once.
namespace flaky {
namespace {

TEST_P(MistypedValues, NoTimeHidesARunOrShowsItTwice) {
  std::string sql = "BEGIN;", looks_like_a_time;
  for (size_t i = 0; i < Literals().size(); ++i) {
    if (Literals()[i].text.ends_with("ZZ")) looks_like_a_time = IdOfLiteral(i);
    for (const char* twin : {"a", "b", "c"}) {
      sql += "INSERT INTO runs (run_id, started_at) VALUES ('" + std::string(twin) + IdOfLiteral(i) + "', " +
             Literals()[i].sql + ");";
    }
  }
  constexpr std::array kTimes = {"1960-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z", "2026-01-01T00:00:00.5Z",
                                 "2026-01-02 00:00:00", "2027-01-01T00:00:00.000Z"};
  for (const char* time : kTimes) {
    sql += std::string("INSERT INTO runs (run_id, started_at) VALUES ('") + time + "', '" + time + "');";
  }
  Execute(sql + "COMMIT");

  struct Window {
    const char* since;
    const char* until;
  };
  std::vector<RunFilter> filters = {RunFilter()};
  filters[0].project.emplace();
  for (const Window& window :
       {Window{"0000-01-01T00:00:00Z", "9999-12-31T00:00:00Z"}, Window{"2026-01-01T00:00:00Z", nullptr},
        Window{nullptr, "2026-01-01T12:00:00Z"}, Window{"1965-01-01T00:00:00Z", "2026-05-05T02:00:00Z"},
        Window{"2026-01-01T00:00:00Z", "2026-05-05T02:00:00Z"}, Window{nullptr, "1969-01-01T00:00:00Z"},
        Window{"1970-01-01T00:00:00Z", nullptr}}) {
    RunFilter& filter = filters.emplace_back();
    if (window.since) filter.since = Timestamp::Parse(window.since);
    if (window.until) filter.until = Timestamp::Parse(window.until);
  }

  // First without our index, then with it.
  for (const OpenMode mode : {OpenMode::kRead, OpenMode::kWrite}) {
    const auto store = Open(mode);
    const Walked all = Walk([&]() -> Store& { return *store; }, {});
    ASSERT_EQ(all.records.size(), 3 * Literals().size() + kTimes.size());
    for (const RunFilter& filter : filters) {
      std::set<std::string> expected;
      for (const auto& [id, record] : all.records) {
        // A value that looks like a time but is not one is in the window of the time that it looks like.
        const Timestamp at = id.substr(1) == looks_like_a_time ? *Timestamp::Parse("2026-05-05T01:02:03.004Z")
                                                               : record.run.account.started_at;
        if ((!filter.since || at >= *filter.since) && (!filter.until || at < *filter.until)) expected.insert(id);
      }
      EXPECT_EQ(store->Count(filter).runs, static_cast<int64_t>(expected.size()));
      for (const Direction direction : {Direction::kOldestFirst, Direction::kNewestFirst}) {
        const bool alone = &filter == &filters.front();
        for (const size_t max_records : alone ? std::vector<size_t>{1, 2, 7, 100} : std::vector<size_t>{10}) {
          PageRequest request{.filter = filter, .after = std::nullopt, .direction = direction};
          request.detail = max_records == 2 ? Detail::kRunsOnly : Detail::kFull;
          request.max_records = max_records;
          const bool reopen = max_records == 7;
          std::unique_ptr<Store> other;
          const auto use = [&]() -> Store& {
            if (!reopen) return *store;
            other = Open(mode);
            return *other;
          };
          const Walked walked = Walk(use, request);
          EXPECT_EQ(std::set(walked.ids.begin(), walked.ids.end()), expected) << max_records;
          EXPECT_EQ(walked.ids.size(), expected.size()) << max_records;
        }
      }
    }
  }
}

// One time has many forms, and the order depends on the form.
TEST_P(MistypedValues, TimesOfUnusualFormHideNoRun) {
  constexpr std::array kTimes = {
      "2026-01-01T10:00:00.12Z",      "2026-01-01T10:00:00.120Z", "2026-01-01T10:00:00.120000Z",
      "2026-01-01T10:00:00Z",         "2026-01-01 10:00:00",      "2026-01-01T12:00:00.120+02:00",
      "2026-01-01T12:00:00.120+0200",
  };
  std::string sql = "BEGIN;";
  for (const std::string time : kTimes) {
    for (const char* twin : {"a", "b"}) {
      sql += "INSERT INTO runs (run_id, started_at) VALUES ('" + (twin + time) + "', '" + time + "');";
    }
  }
  Execute(sql + "COMMIT");
  for (const OpenMode mode : {OpenMode::kRead, OpenMode::kWrite}) {
    for (const Direction direction : {Direction::kOldestFirst, Direction::kNewestFirst}) {
      for (const bool reopen : {false, true}) {
        std::unique_ptr<Store> store = Open(mode);
        const auto use = [&]() -> Store& {
          if (reopen) store = Open(mode);
          return *store;
        };
        PageRequest request;
        request.max_records = 1;
        request.direction = direction;
        const Walked walked = Walk(use, request);
        EXPECT_EQ(walked.ids.size(), 2 * kTimes.size());
        EXPECT_EQ(walked.records.size(), 2 * kTimes.size());
      }
    }
  }
}

TEST_P(MistypedValues, FailuresWithoutATimeAreShownAsOldOnes) {
  std::string sql =
      "BEGIN; INSERT INTO runs (run_id, started_at, ended_at) VALUES ('died', '2026-01-01T00:00:00Z', 'never'), "
      "('ended', '2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z');";
  const std::string into = "INSERT INTO failures (run_id, test_file, test_name, failure_kind, failed_at) VALUES ('";
  for (const Literal& literal : Literals()) {
    for (const char* run : {"died", "ended"}) sql += into + run + "', 'f', 't', 'k', " + literal.sql + ");";
  }
  for (const char* time : {"1960-01-01T00:00:00.000Z", "2026-01-02 00:00:00", "2027-01-01T00:00:00.000Z"}) {
    sql += into + "ended', 'f', 7, x'61', '" + time + "');";
  }
  Execute(sql + "COMMIT");
  for (const OpenMode mode : {OpenMode::kRead, OpenMode::kWrite}) {
    const auto store = Open(mode);
    const auto visit = [&](const FailureFilter& filter) {
      std::vector<FailureKey> keys;
      store->VisitFailures(filter, [&](const FailureView& view) {
        keys.push_back({view.failed_at, view.id});
        EXPECT_EQ(view.run_ended, view.run_id == "ended");
        if (view.test_name != "t") {
          EXPECT_EQ(view.test_name, "7");
          EXPECT_EQ(view.failure_kind, "a");
        }
      });
      return keys;
    };
    const std::vector<FailureKey> all =
        ExpectWindows(visit, {"1950-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00Z",
                              "2026-01-01T00:00:00Z", "2026-05-05T01:02:03.004Z"});
    EXPECT_EQ(all.size(), 2 * Literals().size() + 3);
  }
}

}  // namespace
}  // namespace flaky
