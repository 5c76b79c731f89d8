#include <gmock/gmock.h>

#include <set>
#include <tuple>

#include "tests/stores/npm_tables.h"
#include "tests/stores/sqlite_support.h"
#include "tests/support/record_builder.h"
#include "tests/support/temp_folder.h"

// Databases of the npm package @flaky-tests/store-sqlite 0.2, whose tables have no prefix.
namespace flaky {
namespace {

using testing::Contains;
using testing::ElementsAre;

void MakeNpmDatabase(const std::string& path, int version, bool version_table) {
  RunSql(path, NpmTables(version, version_table));
}

class NpmDatabase : public testing::TestWithParam<std::tuple<int, bool>> {
 protected:
  void SetUp() override { MakeNpmDatabase(path_, version(), std::get<bool>(GetParam())); }
  int version() const { return std::get<int>(GetParam()); }

  TempFolder folder_;
  std::string path_ = folder_.File("npm.db");
};

TEST_P(NpmDatabase, IsReadAsItIs) {
  const std::string before = Bytes(path_);
  {
    const auto store = OpenFile(path_, OpenMode::kRead, "");
    EXPECT_EQ(store->schema().found, 0);
    const std::vector<RunRecord> records = ReadAll(*store);
    ASSERT_EQ(records.size(), 2u);
    EXPECT_EQ(store->Count({}), (Totals{2, 0, 2}));
    const std::string id = "old";
    const RunRecord record = store->Fetch({&id, 1}).at(0);
    EXPECT_EQ(record.run.account.duration_ms, 5250);
    EXPECT_EQ(record.run.git_dirty, true);
    EXPECT_EQ(record.run.project, version() >= 6 ? std::optional<std::string>("web") : std::nullopt);
    EXPECT_EQ(record.run.account.passed_tests, version() >= 2 ? std::optional<int64_t>(9) : std::nullopt);
    EXPECT_FALSE(record.run.branch.has_value());
    EXPECT_TRUE(record.parts.empty());
    EXPECT_EQ(record.failures.at(0).test_name, "outer > inner > name");
    int failures = 0;
    store->VisitFailures({}, [&](const FailureView&) { ++failures; });
    EXPECT_EQ(failures, 2);
    PageRequest request;
    request.max_records = 1;
    request.direction = Direction::kNewestFirst;
    const Page page = store->Read(request);
    ASSERT_TRUE(page.next);
    request.after = page.next;
    EXPECT_EQ(store->Read(request).records.size(), 1u);
  }
  EXPECT_EQ(Bytes(path_), before) << "reading changes nothing";
}

TEST_P(NpmDatabase, IsUpgradedByNullableColumnsAndStaysThePackages) {
  const Digest before = SumOf(ReadAll(*OpenFile(path_, OpenMode::kRead, "")));
  const auto store = OpenFile(path_, OpenMode::kWrite, "");
  EXPECT_TRUE(store->schema().pending.empty());
  EXPECT_EQ(SumOf(ReadAll(*store)), before);

  // The package finds all its versions applied, so it adds no column again, and writes on.
  if (std::get<bool>(GetParam())) {
    EXPECT_THAT(Query(path_, "SELECT version FROM schema_version ORDER BY version"),
                ElementsAre("1", "2", "3", "4", "5", "6"));
  } else {
    EXPECT_TRUE(Query(path_, "SELECT name FROM sqlite_master WHERE name = 'schema_version'").empty());
  }
  const auto columns = Query(path_, "SELECT name FROM pragma_table_info('runs')");
  for (const NpmColumn& column : kLaterColumns) EXPECT_THAT(columns, Contains(column.name));
  EXPECT_TRUE(
      Query(path_, "SELECT name FROM pragma_table_info('runs') WHERE \"notnull\" AND name != 'started_at'").empty());
  RunSql(path_, InsertRun("new", kVersions));

  const std::string id = "new";
  const RunRecord added = store->Fetch({&id, 1}).at(0);
  EXPECT_EQ(added.run.project, "web");
  EXPECT_TRUE(added.parts.empty());
  EXPECT_EQ(added.failures.size(), 1u);
  const RunRecord ours = BuildRecord("ours").Part("p", 0, 1).Fail("Suite.Test").Build();
  EXPECT_EQ(store->Write({&ours, 1}).at(0).outcome, WriteResult::Outcome::kInserted);
  EXPECT_EQ(ReadAll(*store).size(), 4u);
}

TEST_P(NpmDatabase, ItsFailuresKeepTheirIdsWhenTheirRunIsCompleted) {
  const auto store = OpenFile(path_, OpenMode::kWrite, "");
  const std::string id = "older-died";
  RunRecord record = store->Fetch({&id, 1}).at(0);
  const std::string row = Query(path_, "SELECT id FROM failures WHERE run_id = 'older-died'").at(0);
  record.run.account.ended_at = Timestamp::Parse("2026-01-01T10:09:00Z");
  record.run.account.failed_tests = 2;
  record.run.account.status = "fail";
  record.failures.push_back(record.failures.front());
  record.failures.back().error_message = "another";
  EXPECT_EQ(store->Write({&record, 1}).at(0).outcome, WriteResult::Outcome::kCompleted);
  const auto rows = Query(path_, "SELECT id FROM failures WHERE run_id = 'older-died' ORDER BY id");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0], row);
}

INSTANTIATE_TEST_SUITE_P(Versions, NpmDatabase, testing::Combine(testing::Range(1, kVersions + 1), testing::Bool()),
                         [](const testing::TestParamInfo<std::tuple<int, bool>>& each) {
                           return "V" + std::to_string(std::get<0>(each.param)) +
                                  (std::get<1>(each.param) ? "" : "WithoutVersionTable");
                         });

TEST(NpmTimes, OfUnusualFormHideNoRun) {
  TempFolder folder;
  const std::string path = folder.File("npm.db");
  MakeNpmDatabase(path, kVersions, true);
  RunSql(path, "DELETE FROM failures; DELETE FROM runs;");
  for (const char* time : {"2026-01-01T10:00:00.12Z", "2026-01-01T10:00:00.120Z", "2026-01-01T10:00:00.120000Z",
                           "2026-01-01T10:00:00Z", "2026-01-01 10:00:00", "2026-01-01T12:00:00.120+02:00"}) {
    for (const char* suffix : {"a", "b"}) {
      RunSql(path,
             std::string("INSERT INTO runs (run_id, started_at) VALUES ('") + suffix + time + "', '" + time + "')");
    }
  }
  for (const OpenMode mode : {OpenMode::kRead, OpenMode::kWrite}) {
    const auto store = OpenFile(path, mode, "");
    for (const Direction direction : {Direction::kOldestFirst, Direction::kNewestFirst}) {
      PageRequest request;
      request.max_records = 1;
      request.direction = direction;
      std::set<std::string> ids;
      for (;;) {
        const Page page = store->Read(request);
        for (const RunRecord& record : page.records) EXPECT_TRUE(ids.insert(record.run.run_id).second);
        if (!page.next || ids.size() > 12) break;
        request.after = page.next;
      }
      EXPECT_EQ(ids.size(), 12u);
    }
  }
}

}  // namespace
}  // namespace flaky
