// SPDX-License-Identifier: MIT
#include "stores/sql/ledger.h"

#include <gmock/gmock.h>

#include <stdexcept>

#include "history/digest.h"
#include "stores/sql/sql_script.h"

namespace flaky {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> Statements(std::string_view script) {
  std::vector<std::string> statements;
  for (const SqlStep& step : ParseSqlScript(script)) statements.push_back(step.sql);
  return statements;
}

TEST(SqlScript, IsSeparatedAtSemicolons) {
  EXPECT_THAT(Statements("A; B ;\n C"), ElementsAre("A", "B", "C"));
  EXPECT_THAT(Statements(""), IsEmpty());
  EXPECT_THAT(Statements(" ;;\n; -- nothing\n /* at all */ ;"), IsEmpty());
}

TEST(SqlScript, QuotesAndCommentsSeparateNothing) {
  EXPECT_THAT(Statements("A ';' B; C"), ElementsAre("A ';' B", "C"));
  EXPECT_THAT(Statements("A 'it''s; not' ; B"), ElementsAre("A 'it''s; not'", "B"));
  EXPECT_THAT(Statements("A \"x;\"\"y;\" ; B"), ElementsAre("A \"x;\"\"y;\"", "B"));
  EXPECT_THAT(Statements("A `x;` [y;] ; B"), ElementsAre("A `x;` [y;]", "B"));
  EXPECT_THAT(Statements("A -- it's; nothing\n+1; B"), ElementsAre("A \n+1", "B"));
  EXPECT_THAT(Statements("A/* it's; nothing */B; C"), ElementsAre("A B", "C"));
  EXPECT_THAT(Statements("A '-- no comment' ; B '/*' ; C '*/'"), ElementsAre("A '-- no comment'", "B '/*'", "C '*/'"));
  EXPECT_THAT(Statements("A $$ x; 'y $$; B $f$ ; $$ ; $f$ ; C"), ElementsAre("A $$ x; 'y $$", "B $f$ ; $$ ; $f$", "C"));
  EXPECT_THAT(Statements("A $1; B a$b$; C"), ElementsAre("A $1", "B a$b$", "C"));
}

TEST(SqlScript, DirectivesMakeAStatementConditional) {
  const auto steps = ParseSqlScript(
      "A;\n-- if-missing: runs.project\n-- a comment between\nB;\nC;\n"
      "-- if-present: old_runs.x: INSERT INTO y SELECT ';' ;\nD");
  ASSERT_EQ(steps.size(), 5u);
  EXPECT_EQ(steps[0].when, SqlStep::When::kAlways);
  EXPECT_EQ(steps[1].when, SqlStep::When::kIfMissing);
  EXPECT_EQ(steps[1].table, "runs");
  EXPECT_EQ(steps[1].column, "project");
  EXPECT_EQ(steps[1].sql, "B");
  EXPECT_EQ(steps[2].when, SqlStep::When::kAlways);
  EXPECT_EQ(steps[3].when, SqlStep::When::kIfPresent);
  EXPECT_EQ(steps[3].table, "old_runs");
  EXPECT_EQ(steps[3].sql, "INSERT INTO y SELECT ';'");
  EXPECT_EQ(steps[4].sql, "D");
}

TEST(SqlScript, InvalidScriptsAreRefusedWithTheirLine) {
  for (const char* script :
       {"A\n'open", "A\n\"open", "A\n/* open", "A\n$x$ open", "A\n[open", "A;\n-- if-missing: runs\nB",
        "A;\n-- if-missing: .x\nB", "A;\n-- if-missing: a b.x\nB", "A\n-- if-missing: a.b\nB", "A;\n-- if-missing: a.b",
        "A;\n-- if-present: a.b", "A;\n-- if-present: a.b: ;"}) {
    try {
      ParseSqlScript(script);
      ADD_FAILURE() << "understood: " << script;
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), HasSubstr("line ")) << script;
    }
  }
}

TEST(Ledger, EmbeddedMigrationsAreNumberedFromOneAndCanBeSplit) {
  int64_t version = 0;
  for (const Migration& migration : SqliteMigrations()) {
    EXPECT_EQ(migration.version, ++version);
    EXPECT_FALSE(StepsOf(migration, "x_").empty());
    for (const SqlStep& step : StepsOf(migration, "x_")) {
      EXPECT_THAT(step.sql + step.table, testing::Not(HasSubstr("{prefix}"))) << migration.name;
    }
  }
  EXPECT_GE(version, 2);
}

TEST(Ledger, ChecksumIsThatOfTheFile) {
  const Migration migration{1, "0001_x", "SELECT 1;\n"};
  EXPECT_EQ(Checksum(migration), DigestOf(std::string_view("SELECT 1;\n")).ToString());
  EXPECT_NE(Checksum(migration), Checksum({1, "0001_x", "SELECT 1; \n"}));
}

constexpr Migration kKnown[] = {{1, "0001_a", "A"}, {2, "0002_b", "B"}, {3, "0003_c", "C"}};

AppliedMigration Row(size_t index) {
  return {kKnown[index].version, std::string(kKnown[index].name), Checksum(kKnown[index])};
}

TEST(Ledger, StateListsPendingMigrations) {
  const SchemaState fresh = StateOf(kKnown, {}, "s");
  EXPECT_EQ(fresh.found, 0);
  EXPECT_EQ(fresh.known, 3);
  EXPECT_THAT(fresh.pending, ElementsAre("0001_a", "0002_b", "0003_c"));
  const std::vector<AppliedMigration> rows = {Row(1), Row(0)};
  const SchemaState state = StateOf(kKnown, rows, "s");
  EXPECT_EQ(state.found, 2);
  EXPECT_THAT(state.pending, ElementsAre("0003_c"));
  EXPECT_NO_THROW(CheckWritable(state, "s"));
}

TEST(Ledger, ADriftedChecksumIsNamed) {
  std::vector<AppliedMigration> rows = {Row(0), Row(1)};
  rows[1].checksum[0] = rows[1].checksum[0] == '0' ? '1' : '0';
  try {
    StateOf(kKnown, rows, "sqlite:x");
    FAIL() << "accepted";
  } catch (const StoreError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("sqlite:x"), HasSubstr("migration 2"), HasSubstr("0002_b"),
                                             HasSubstr(rows[1].checksum)));
  }
}

TEST(Ledger, ANewerSchemaIsNotWritten) {
  std::vector<AppliedMigration> rows = {Row(0), Row(1), Row(2), {9, "0009_later", "?"}};
  const SchemaState state = StateOf(kKnown, rows, "sqlite:x");
  EXPECT_EQ(state.found, 9);
  EXPECT_THAT(state.pending, IsEmpty());
  try {
    CheckWritable(state, "sqlite:x");
    FAIL() << "accepted";
  } catch (const StoreError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kSchemaTooNew);
    EXPECT_THAT(error.what(), HasSubstr("schema 9, this program knows 3"));
  }
}

TEST(Ledger, OnlyTheLastMigrationsMayComeAfterTheRows) {
  constexpr Migration kLate{3, "0003_c", "-- after-rows\nCREATE INDEX c"};
  const std::vector<Migration> mixed = {{1, "0001_a", "A"}, {2, "0002_b", "-- after-rows\nB"}, {3, "0003_c", "C"}};
  EXPECT_EQ(MigrationsUntil(mixed, DeferredIndexes::kLater).size(), 3u);
  const std::vector<Migration> late = {{1, "0001_a", "A"}, {2, "0002_b", "-- after-rows\nB"}, kLate};
  EXPECT_EQ(MigrationsUntil(late, DeferredIndexes::kLater).size(), 1u);
  EXPECT_EQ(MigrationsUntil(late, DeferredIndexes::kNow).size(), 3u);
  EXPECT_EQ(MigrationsUntil({&kLate, 1}, DeferredIndexes::kLater).size(), 0u);
  for (const auto& migrations : {SqliteMigrations(), PostgresMigrations()}) {
    EXPECT_EQ(MigrationsUntil(migrations, DeferredIndexes::kLater).size(), migrations.size() - 2)
        << "indexes and views";
  }
}

}  // namespace
}  // namespace flaky
