// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <functional>
#include <stdexcept>

#include "stores/open.h"
#include "stores/sql/sql_script.h"
#include "tests/servers/pgbouncer.h"
#include "tests/stores/postgres_support.h"
#include "tests/support/record_builder.h"

// Other roles of the server: what they can reach, what of theirs could run with our rights, and what is hidden from us.
namespace flaky {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::vector<std::string> kTables = {"flaky_test_runs",    "flaky_test_failures", "flaky_test_parts",
                                          "flaky_test_rosters", "flaky_test_claims",   "flaky_test_schema"};

RunRecord OneRun(const std::string& run_id = "run") { return BuildRecord(run_id).Part("p", 0, 1).Fail("S.T").Build(); }

class PostgresBoundaries : public PostgresTest {
 protected:
  // As in a Supabase project, in which new tables are granted to everybody.
  void MakePublicRoles() const {
    MakeRole("anon", "NOLOGIN");
    MakeRole("authenticated", "NOLOGIN");
    for (const char* kind : {"TABLES", "SEQUENCES", "FUNCTIONS"}) {
      Run(std::string("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON ") + kind + " TO anon, authenticated");
    }
  }
  // The tables as an earlier version left them in such a project.
  void MakeOpenTables() const {
    MakePublicRoles();
    const RunRecord record = OneRun();
    Open(OpenMode::kWrite)->Write({&record, 1});
    for (const std::string& table : kTables) {
      Run("ALTER TABLE " + table + " DISABLE ROW LEVEL SECURITY; DROP POLICY IF EXISTS flaky_granted ON " + table +
          "; GRANT ALL ON " + table + " TO anon, authenticated");
    }
    Run("GRANT ALL ON SEQUENCE flaky_test_failures_id_seq TO anon, authenticated, PUBLIC; GRANT SELECT ON "
        "flaky_test_runs TO PUBLIC; GRANT UPDATE (project) ON flaky_test_runs TO anon");
  }
  // Returns the rights that public roles have, and the tables without row-level security.
  std::vector<std::string> Openings() const {
    return Query(
        "SELECT r.rolname || ': ' || p.name || ' on ' || c.relname FROM pg_roles r, pg_class c, unnest('{SELECT,INSERT,"
        "UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) p (name) WHERE r.rolname IN ('anon', 'authenticated') "
        "AND c.relname LIKE 'flaky_test_%' AND c.relkind IN ('r', 'p', 'v') AND has_table_privilege(r.oid, c.oid, "
        "p.name) "
        "UNION ALL SELECT r.rolname || ': a column of ' || c.relname FROM pg_roles r, pg_class c WHERE r.rolname IN "
        "('anon', 'authenticated') AND c.relname LIKE 'flaky_test_%' AND c.relkind = 'r' AND "
        "has_any_column_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES') "
        "UNION ALL SELECT r.rolname || ': the numbers' FROM pg_roles r WHERE r.rolname IN ('anon', 'authenticated') "
        "AND "
        "has_sequence_privilege(r.oid, 'flaky_test_failures_id_seq', 'USAGE, SELECT, UPDATE') "
        "UNION ALL SELECT 'no row-level security: ' || relname FROM pg_class WHERE relname LIKE 'flaky_test_%' AND "
        "relkind = 'r' AND NOT relrowsecurity");
  }
  // A role with the rights that docs/stores/postgres.md names for recording.
  std::string Writer(const std::string& role) const {
    MakeRole(role, "LOGIN NOBYPASSRLS");
    Run("GRANT SELECT, INSERT, UPDATE, DELETE ON flaky_test_runs, flaky_test_parts, flaky_test_failures, "
        "flaky_test_rosters, flaky_test_claims TO " +
        role + "; GRANT SELECT ON flaky_test_schema TO " + role +
        "; GRANT USAGE ON SEQUENCE flaky_test_failures_id_seq TO " + role);
    return UriOf(role);
  }
  std::string Reader(const std::string& role) const {
    MakeRole(role, "LOGIN NOBYPASSRLS");
    Run("GRANT SELECT ON flaky_test_runs, flaky_test_parts, flaky_test_failures, flaky_test_rosters, "
        "flaky_test_schema TO " +
        role);
    return UriOf(role);
  }
  // A role that may make tables and functions in the schema, as every role may up to PostgreSQL 14.
  std::string Maker(const std::string& role) const {
    MakeRole(role, "LOGIN NOBYPASSRLS NOSUPERUSER");
    Run("GRANT ALL ON SCHEMA public TO " + role);
    return UriOf(role);
  }
  // Expects that opening is refused with a text that has all of these.
  static void ExpectRefused(const std::string& uri, OpenMode mode, const std::vector<std::string>& told) {
    const auto error = ErrorOf([&] { OpenUri(uri, mode); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::kAuth) << error->what();
    for (const std::string& text : told) EXPECT_THAT(error->what(), HasSubstr(text));
  }
  // Writes and reads with every verb.
  static void UseAll(const std::string& uri, const std::string& name) {
    const auto store = OpenUri(uri, OpenMode::kWrite);
    const RunRecord half = OneRun(name);
    const RunRecord whole = BuildRecord(name).Part("p", 0, 1).Fail("S.T").Part("q", 5, 1).Fail("S.U").Build();
    EXPECT_EQ(store->Write({&half, 1})[0].outcome, WriteResult::Outcome::kInserted);
    EXPECT_EQ(store->Write({&whole, 1})[0].outcome, WriteResult::Outcome::kCompleted);
    store->Write({&half, 1}, OnExisting::kReplace);
    EXPECT_EQ(store->Claim("me", std::chrono::seconds(9), "").holder, "me");
    EXPECT_EQ(store->Claim("me", std::chrono::seconds(0), "").holder, "");
    EXPECT_EQ(store->Fetch({&name, 1}).size(), 1u);
    EXPECT_THAT(store->FindRuns(name, 9), ElementsAre(name));
    EXPECT_THAT(ReadAll(*OpenUri(uri, OpenMode::kRead)), Not(IsEmpty()));
    RunFilter since;
    since.since = At(-1);
    EXPECT_GT(store->Count(since).failures, 0);
    int failures = 0;
    FailureFilter filter;
    filter.texts = true;
    store->VisitFailures(filter, [&](const FailureView&) { ++failures; });
    EXPECT_GT(failures, 0);
  }
};

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

// Better matches than the server's own functions and operators, for what migrations and queries call. Each notes by
// whom it was called.
constexpr char kTraps[] = R"(
  CREATE TABLE loot (what TEXT, who TEXT);
  GRANT ALL ON loot TO PUBLIC;
  CREATE FUNCTION note(what TEXT) RETURNS VOID LANGUAGE sql AS 'INSERT INTO public.loot VALUES (what, current_user)';
  CREATE FUNCTION unnest(TEXT[]) RETURNS SETOF TEXT LANGUAGE plpgsql AS
    $$ BEGIN PERFORM public.note('unnest text'); RETURN QUERY SELECT pg_catalog.unnest($1); END $$;
  CREATE FUNCTION unnest(BIGINT[]) RETURNS SETOF BIGINT LANGUAGE plpgsql AS
    $$ BEGIN PERFORM public.note('unnest bigint'); RETURN QUERY SELECT pg_catalog.unnest($1); END $$;
  CREATE FUNCTION unnest(NAME[]) RETURNS SETOF NAME LANGUAGE plpgsql AS
    $$ BEGIN PERFORM public.note('unnest name'); RETURN QUERY SELECT pg_catalog.unnest($1); END $$;
  CREATE FUNCTION format(TEXT, NAME) RETURNS TEXT LANGUAGE plpgsql AS
    $$ BEGIN PERFORM public.note('format'); RETURN pg_catalog.format($1, $2); END $$;
  CREATE FUNCTION format(TEXT, REGCLASS) RETURNS TEXT LANGUAGE plpgsql AS
    $$ BEGIN PERFORM public.note('format'); RETURN pg_catalog.format($1, $2); END $$;
  CREATE FUNCTION count(TIMESTAMPTZ) RETURNS BIGINT LANGUAGE plpgsql AS
    $$ BEGIN PERFORM public.note('count'); RETURN 1; END $$;
  CREATE FUNCTION is_same(OID, REGCLASS) RETURNS BOOLEAN LANGUAGE plpgsql AS
    $$ BEGIN PERFORM public.note('='); RETURN $1 OPERATOR(pg_catalog.=) $2::pg_catalog.oid; END $$;
  CREATE OPERATOR = (LEFTARG = OID, RIGHTARG = REGCLASS, FUNCTION = is_same);
  CREATE FUNCTION is_same(OID, REGTYPE) RETURNS BOOLEAN LANGUAGE plpgsql AS
    $$ BEGIN PERFORM public.note('='); RETURN $1 OPERATOR(pg_catalog.=) $2::pg_catalog.oid; END $$;
  CREATE OPERATOR = (LEFTARG = OID, RIGHTARG = REGTYPE, FUNCTION = is_same);
  CREATE FUNCTION is_same(TEXT, TEXT) RETURNS BOOLEAN LANGUAGE plpgsql AS
    $$ BEGIN PERFORM public.note('= of texts'); RETURN $1 OPERATOR(pg_catalog.=) $2; END $$;
  CREATE OPERATOR = (LEFTARG = TEXT, RIGHTARG = TEXT, FUNCTION = is_same);
  CREATE FUNCTION octet_length(TEXT) RETURNS INTEGER LANGUAGE plpgsql AS
    $$ BEGIN PERFORM public.note('octet_length'); RETURN pg_catalog.octet_length($1); END $$;)";

TEST_F(PostgresBoundaries, FunctionsAndOperatorsOfAnotherRoleAreNotCalled) {
  PostgresServer::Execute(Maker("mallory"), kTraps);
  const std::string victim = Maker("victim");
  PostgresServer::Query(victim, "SELECT unnest(ARRAY['x'])");
  EXPECT_THAT(Query("SELECT who FROM loot"), ElementsAre("victim")) << "the traps work";
  const std::string database = uri_.substr(uri_.rfind('/') + 1);
  for (const std::string path : {"\"$user\", public", "public, pg_catalog"}) {
    Run("DO $$ BEGIN EXECUTE pg_catalog.format('ALTER DATABASE %I SET search_path = " + path +
        "', current_database()::text); END $$");
    const Pgbouncer pool(server_, {"victim", "postgres"});
    for (const std::string& uri : {victim, pool.Uri(database, "victim"), uri_, pool.Uri(database)}) {
      Run("DROP TABLE IF EXISTS flaky_test_failures, flaky_test_parts, flaky_test_runs, flaky_test_rosters, "
          "flaky_test_claims, flaky_test_schema CASCADE; TRUNCATE loot");
      UseAll(uri, "run");
      EXPECT_THAT(Query("SELECT what FROM loot"), IsEmpty()) << uri << " " << path;
    }
  }
}

TEST_F(PostgresBoundaries, TheScriptForAdministratorsStopsAtCodeOfAnotherRole) {
  PostgresServer::Execute(Maker("mallory"), kTraps);
  Run("TRUNCATE loot");
  try {
    Run(SchemaScript("postgres", kDefaultPrefix));
    ADD_FAILURE() << "no error";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("function public.unnest(text[])"), HasSubstr("the role mallory")));
  }
  EXPECT_THAT(Query("SELECT what FROM loot"), IsEmpty());
  EXPECT_THAT(Query("SELECT tablename FROM pg_tables WHERE tablename LIKE 'flaky%'"), IsEmpty());
}

constexpr char kTheirTables[] =
    "CREATE TABLE flaky_test_runs (run_id TEXT PRIMARY KEY, started_at TIMESTAMPTZ NOT NULL, ended_at TIMESTAMPTZ, "
    "duration_ms INTEGER, status TEXT, total_tests INTEGER, failed_tests INTEGER, git_sha TEXT, git_dirty BOOLEAN);"
    "CREATE TABLE flaky_test_failures (id BIGSERIAL PRIMARY KEY, run_id TEXT, test_file TEXT, test_name TEXT, "
    "failure_kind TEXT, error_message TEXT, error_stack TEXT, duration_ms INTEGER, failed_at TIMESTAMPTZ);"
    "GRANT ALL ON flaky_test_runs, flaky_test_failures TO PUBLIC;";

TEST_F(PostgresBoundaries, TablesOfAnotherRoleAreReadButNotWritten) {
  PostgresServer::Execute(Maker("mallory"), kTheirTables);
  const std::string victim = Maker("victim");
  for (const std::string& uri : {victim, uri_}) {
    for (const OpenMode mode : {OpenMode::kWrite, OpenMode::kBulk}) {
      ExpectRefused(uri, mode, {"'flaky_test_runs'", "'mallory'", "OWNER TO"});
    }
    EXPECT_EQ(OpenUri(uri, OpenMode::kRead)->Count({}).runs, 0);
  }
  const auto drop = ErrorOf([&] { DropTables(ParseLocation(victim), RowCounts()); });
  ASSERT_TRUE(drop);
  EXPECT_THAT(drop->what(), HasSubstr("'mallory'"));
  // A membership that the role granted itself does not make it trusted.
  try {
    PostgresServer::Execute(UriOf("mallory"), "GRANT mallory TO victim");
  } catch (const std::runtime_error&) {
    // From PostgreSQL 16 on, a role may not.
  }
  ExpectRefused(victim, OpenMode::kWrite, {"'mallory'"});
  Run("REVOKE mallory FROM victim");
  Run("ALTER TABLE flaky_test_runs OWNER TO victim; ALTER TABLE flaky_test_failures OWNER TO victim");
  UseAll(victim, "run");
}

TEST_F(PostgresBoundaries, AViewOfAnotherRoleIsNotEvenRead) {
  PostgresServer::Execute(Maker("mallory"), std::string(kTheirTables) +
                                                "ALTER TABLE flaky_test_runs RENAME TO real; CREATE VIEW "
                                                "flaky_test_runs AS SELECT * FROM real; GRANT ALL ON "
                                                "flaky_test_runs TO PUBLIC");
  ExpectRefused(Maker("victim"), OpenMode::kRead, {"'flaky_test_runs'", "'mallory'", "not an ordinary table"});
}

TEST_F(PostgresBoundaries, TablesOfRolesThatAreInChargeAreWritten) {
  // The role is a member of the tables' owner, as an administrator decided.
  Maker("team");
  const std::string member = Maker("member");
  Run("GRANT team TO member");
  OpenUri(UriOf("team"), OpenMode::kWrite);
  UseAll(member, "run");
  // The database's owner.
  MakeRole("boss", "LOGIN");
  Run("REVOKE team FROM member; DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO boss', current_database()); END "
      "$$");
  for (const std::string& table : kTables) Run("ALTER TABLE " + table + " OWNER TO boss");
  const std::string writer = Writer("ci_writer");
  UseAll(writer, "other");
  // A member of the schema's owner.
  MakeRole("keeper", "NOLOGIN");
  Run("CREATE SCHEMA theirs AUTHORIZATION team; GRANT USAGE ON SCHEMA theirs TO ci_writer");
  for (const std::string& table : kTables) {
    Run("ALTER TABLE " + table + " OWNER TO keeper; ALTER TABLE " + table + " SET SCHEMA theirs");
  }
  const std::string there = writer + "?options=-csearch_path%3Dtheirs";
  ExpectRefused(there, OpenMode::kWrite, {"'keeper'"});
  Run("GRANT team TO keeper");
  UseAll(there, "third");
  Run("REVOKE team FROM keeper");
}

TEST_F(PostgresBoundaries, TriggersOfAnotherRoleAreRefusedAndOwnOnesWork) {
  const std::string mallory = Maker("mallory");
  const std::string victim = Maker("victim");
  OpenUri(victim, OpenMode::kWrite);
  PostgresServer::Execute(
      victim,
      "CREATE TABLE audit (run_id TEXT); CREATE FUNCTION log_run() RETURNS TRIGGER LANGUAGE plpgsql "
      "AS 'BEGIN INSERT INTO audit VALUES (NEW.run_id); RETURN NEW; END'; CREATE TRIGGER mine AFTER "
      "INSERT ON flaky_test_runs FOR EACH ROW EXECUTE FUNCTION log_run(); GRANT TRIGGER ON "
      "flaky_test_parts TO mallory");
  const Pgbouncer pool(server_, {"victim"});
  UseAll(victim, "run");
  UseAll(pool.Uri(uri_.substr(uri_.rfind('/') + 1), "victim"), "pooled");
  EXPECT_THAT(Query("SELECT run_id FROM audit ORDER BY 1"), ElementsAre("pooled", "run"));

  PostgresServer::Execute(mallory,
                          "CREATE FUNCTION grab() RETURNS TRIGGER LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE "
                          "TRIGGER theirs BEFORE INSERT ON flaky_test_parts FOR EACH ROW EXECUTE FUNCTION grab()");
  ExpectRefused(victim, OpenMode::kWrite, {"'flaky_test_parts'", "theirs", "mallory", "Drop the trigger"});
  EXPECT_THAT(ReadAll(*OpenUri(victim, OpenMode::kRead)), SizeIs(2));
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
