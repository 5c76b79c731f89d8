// SPDX-License-Identifier: MIT

// Other roles of the server: what they can reach, and what is hidden from us.
#include "tests/stores/postgres_boundaries.h"

#include <functional>

#include "stores/sql/sql_script.h"
#include "tests/servers/pgbouncer.h"

namespace flaky {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

TEST_F(PostgresBoundaries, PublicRolesGetNoRightToNewTables) {
  MakePublicRoles();
  for (const OpenMode mode : {OpenMode::kWrite, OpenMode::kBulk}) {
    Run("DROP TABLE IF EXISTS flaky_test_failures, flaky_test_parts, flaky_test_runs, flaky_test_rosters, "
        "flaky_test_claims, flaky_test_schema CASCADE");
    const RunRecord record = OneRun();
    const auto store = Open(mode);
    EXPECT_THAT(Openings(), IsEmpty());
    store->Write({&record, 1});
    store->Finish();
    EXPECT_THAT(Openings(), IsEmpty());
    EXPECT_THAT(store->warnings(), IsEmpty());
    EXPECT_EQ(DigestOf(ReadAll(*Open(OpenMode::kRead)).at(0)), DigestOf(record));
  }
}

TEST_F(PostgresBoundaries, TablesOfAnEarlierVersionAreClosedByTheNextWriter) {
  MakeOpenTables();
  const std::string dashboard = Reader("dashboard");
  EXPECT_THAT(Openings(), SizeIs(testing::Gt(80)));
  EXPECT_EQ(Open(OpenMode::kRead)->Count({}).runs, 1);
  EXPECT_THAT(Openings(), SizeIs(testing::Gt(80))) << "reading changes nothing";
  EXPECT_EQ(Open(OpenMode::kWrite)->Count({}).runs, 1);
  EXPECT_THAT(Openings(), IsEmpty());
  EXPECT_EQ(PostgresServer::Query(dashboard, "SELECT count(*) FROM flaky_test_runs")[0][0], "1")
      << "a role that is not public keeps its rights";
  EXPECT_THAT(ReadAll(*OpenUri(dashboard, OpenMode::kRead)), SizeIs(1));
  // A partition that is added later gets the rights of new tables.
  Run("CREATE TABLE flaky_test_runs_2025 () INHERITS (flaky_test_runs)");
  EXPECT_THAT(Openings(), Not(IsEmpty()));
  Open(OpenMode::kWrite);
  EXPECT_THAT(Openings(), IsEmpty());
  // One opening later on.
  Run("GRANT TRUNCATE ON flaky_test_parts TO authenticated");
  Open(OpenMode::kWrite);
  EXPECT_THAT(Openings(), IsEmpty());
  // Rows stay hidden even if the right to read them is granted later.
  Run("GRANT SELECT ON flaky_test_runs TO anon");
  Run("SET ROLE anon; DO $$ BEGIN IF EXISTS (SELECT FROM flaky_test_runs) THEN RAISE 'a row is seen'; END IF; END $$");
}

TEST_F(PostgresBoundaries, TheAnonymousRoleOfPostgrestsSettingsIsPublicToo) {
  MakeRole("authenticator", "NOLOGIN");
  MakeRole("passer_by", "NOLOGIN");
  Run("ALTER ROLE authenticator SET pgrst.db_anon_role = 'passer_by'; GRANT passer_by TO authenticator; "
      "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO passer_by");
  Open(OpenMode::kWrite);
  EXPECT_THAT(Query("SELECT has_table_privilege('passer_by', 'flaky_test_runs', 'SELECT, TRUNCATE')"),
              ElementsAre("f"));
  Run("ALTER ROLE authenticator RESET pgrst.db_anon_role");
}

TEST_F(PostgresBoundaries, AWriterWithGrantsWorksOnClosedTables) {
  MakePublicRoles();
  Run(SchemaScript("postgres", kDefaultPrefix));  // as an administrator does
  EXPECT_THAT(Openings(), IsEmpty()) << "the script closes them as the program does";
  UseAll(Writer("ci_writer"), "run");
  EXPECT_THAT(ReadAll(*OpenUri(Reader("ci_reader"), OpenMode::kRead)), SizeIs(1));
  const Pgbouncer pool(server_, {"ci_writer"});
  UseAll(pool.Uri(uri_.substr(uri_.rfind('/') + 1), "ci_writer"), "pooled");
}

TEST_F(PostgresBoundaries, WhatOnlyTheOwnerCanCloseIsReported) {
  MakeOpenTables();
  const std::string uri = Writer("ci_writer");
  const auto store = OpenUri(uri, OpenMode::kWrite);
  const RunRecord other = OneRun("other");
  EXPECT_EQ(store->Write({&other, 1})[0].outcome, WriteResult::Outcome::kInserted);
  ASSERT_THAT(store->warnings(), SizeIs(1));
  EXPECT_THAT(store->warnings()[0], AllOf(HasSubstr("anon, authenticated"), HasSubstr("'flaky_test_runs'"),
                                          HasSubstr("'postgres'"), HasSubstr("flaky schema migrate")));
  EXPECT_THAT(Openings(), Not(IsEmpty()));
  Run(SchemaScript("postgres", kDefaultPrefix).substr(SchemaScript("postgres", kDefaultPrefix).rfind("BEGIN;")));
  EXPECT_THAT(Openings(), IsEmpty());
  EXPECT_THAT(OpenUri(uri, OpenMode::kWrite)->warnings(), IsEmpty());
}

TEST_F(PostgresBoundaries, AFilteredTableIsAnErrorThatNamesTableAndRole) {
  const RunRecord record = OneRun();
  Open(OpenMode::kWrite)->Write({&record, 1});
  const std::string uri = Reader("mover");
  const auto close = [&](const std::string& table, const std::string& policy) {
    Run("ALTER TABLE " + table + " ENABLE ROW LEVEL SECURITY; DROP POLICY IF EXISTS flaky_granted ON " + table +
        "; DROP POLICY IF EXISTS own ON " + table + "; " + policy);
  };
  for (const std::string table :
       {"flaky_test_runs", "flaky_test_failures", "flaky_test_parts", "flaky_test_rosters", "flaky_test_schema"}) {
    for (const std::string& policy : {std::string(), "CREATE POLICY own ON " + table + " TO mover USING (1 = 2)",
                                      "CREATE POLICY own ON " + table + " FOR INSERT TO mover WITH CHECK (true)",
                                      "CREATE POLICY own ON " + table + " TO ci_reader USING (true)"}) {
      MakeRole("ci_reader", "LOGIN");
      close(table, policy);
      ExpectRefused(uri, OpenMode::kRead,
                    {"'" + table + "'", "'mover'", "'postgres'", "BYPASSRLS", "CREATE POLICY \"mover\""});
    }
    close(table, "CREATE POLICY own ON " + table + " TO mover USING (true)");
    EXPECT_EQ(DigestOf(ReadAll(*OpenUri(uri, OpenMode::kRead)).at(0)), DigestOf(record)) << "all rows are admitted";
    Run("CREATE POLICY less ON " + table + " AS RESTRICTIVE USING (1 = 2)");
    ExpectRefused(uri, OpenMode::kRead, {"'" + table + "'"});
    Run("DROP POLICY less ON " + table);
  }
  MakeRole("mover", "BYPASSRLS");
  EXPECT_THAT(ReadAll(*OpenUri(uri, OpenMode::kRead)), SizeIs(1));
}

TEST_F(PostgresBoundaries, TheStatementOfTheErrorIsEnough) {
  const RunRecord record = OneRun();
  Open(OpenMode::kWrite)->Write({&record, 1});
  const std::string uri = Reader("mover");
  Run("ALTER TABLE flaky_test_failures ENABLE ROW LEVEL SECURITY; DROP POLICY IF EXISTS flaky_granted ON "
      "flaky_test_failures");
  const auto error = ErrorOf([&] { OpenUri(uri, OpenMode::kRead); });
  ASSERT_TRUE(error);
  const std::string text = error->what();
  Run(text.substr(text.find("CREATE POLICY")));
  EXPECT_EQ(OpenUri(uri, OpenMode::kRead)->Count({}).failures, 1);
}

TEST_F(PostgresBoundaries, AWriterThatMayNotChangeEveryRowIsRefused) {
  Open(OpenMode::kWrite);
  const std::string uri = Writer("ci_writer");
  Run("ALTER TABLE flaky_test_failures ENABLE ROW LEVEL SECURITY; DROP POLICY IF EXISTS flaky_granted ON "
      "flaky_test_failures; CREATE POLICY own ON flaky_test_failures FOR SELECT USING (true)");
  EXPECT_EQ(OpenUri(uri, OpenMode::kRead)->Count({}).failures, 0);
  ExpectRefused(uri, OpenMode::kWrite, {"'flaky_test_failures'", "'ci_writer'"});
}

TEST_F(PostgresBoundaries, AnOwnerUnderForcedSecurityGetsTheError) {
  const std::string uri = Maker("owner");
  const RunRecord record = OneRun();
  OpenUri(uri, OpenMode::kWrite)->Write({&record, 1});
  Run("ALTER TABLE flaky_test_runs ENABLE ROW LEVEL SECURITY; DROP POLICY IF EXISTS flaky_granted ON flaky_test_runs");
  EXPECT_EQ(OpenUri(uri, OpenMode::kWrite)->Count({}).runs, 1) << "the owner is exempt";
  Run("ALTER TABLE flaky_test_runs FORCE ROW LEVEL SECURITY");
  ExpectRefused(uri, OpenMode::kRead, {"'flaky_test_runs'", "'owner'"});
}

TEST_F(PostgresBoundaries, SecurityThatIsTurnedOnLaterIsAnErrorToo) {
  const Pgbouncer pool(server_, {"mover"});
  const std::string pooled = pool.Uri(uri_.substr(uri_.rfind('/') + 1), "mover");
  const RunRecord record = OneRun();
  for (const bool has_policies : {false, true}) {
    if (has_policies) {
      MakePublicRoles();
      Open(OpenMode::kWrite);
    } else {
      Open(OpenMode::kWrite)->Write({&record, 1});
    }
    for (const std::string& uri : {Reader("mover"), pooled}) {
      Run("ALTER TABLE flaky_test_failures DISABLE ROW LEVEL SECURITY; DROP POLICY IF EXISTS flaky_granted ON "
          "flaky_test_failures");
      const auto store = OpenUri(uri, OpenMode::kRead);
      EXPECT_EQ(store->Count({}).failures, 1);
      Run("ALTER TABLE flaky_test_failures ENABLE ROW LEVEL SECURITY");
      const std::function<void()> reads[] = {[&] { store->Count({}); }, [&] { ReadAll(*store); },
                                             [&] { store->VisitFailures({}, [](const FailureView&) {}); }};
      for (const auto& read : reads) {
        const auto error = ErrorOf(read);
        ASSERT_TRUE(error) << uri;
        EXPECT_EQ(error->kind(), ErrorKind::kAuth);
        EXPECT_THAT(error->what(), AllOf(HasSubstr("flaky_test_failures"), HasSubstr("from the role 'mover'")));
      }
    }
  }
}

TEST_F(PostgresBoundaries, ASchemaMayHaveAnyName) {
  const std::string name = R"("it's ""odd"" \ schema")";
  Run("CREATE SCHEMA " + name);
  MakePublicRoles();
  Run("ALTER DEFAULT PRIVILEGES IN SCHEMA " + name +
      " GRANT ALL ON TABLES TO anon; ALTER DEFAULT PRIVILEGES IN SCHEMA " + name + " GRANT ALL ON SEQUENCES TO anon");
  Run("DO $x$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = " + ReplaceAll(name, "'", "''") +
      "', current_database()); END $x$");
  UseAll(uri_, "run");
  EXPECT_THAT(Query("SELECT count(*) FROM pg_tables WHERE schemaname LIKE '%odd%' AND tablename LIKE 'flaky%'"),
              ElementsAre("6"));
  EXPECT_THAT(Openings(), IsEmpty());
}

}  // namespace
}  // namespace flaky
