// SPDX-License-Identifier: MIT

// What other roles of the server made: functions, operators, tables, views and triggers that could run with our rights.
#include <stdexcept>

#include "tests/servers/pgbouncer.h"
#include "tests/stores/postgres_boundaries.h"

namespace flaky {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

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

}  // namespace
}  // namespace flaky
