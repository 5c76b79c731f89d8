// SPDX-License-Identifier: MIT

// `flaky doctor` and stores on servers: what it reports, and that it changes nothing there.

#include <gmock/gmock.h>

#include <chrono>
#include <exception>
#include <thread>

#include "tests/cli/doctor_fixture.h"
#include "tests/servers/fault_proxy.h"
#include "tests/servers/postgres_server.h"
#include "tests/servers/sqld_server.h"
#include "tests/servers/supabase_server.h"
#include "tests/support/wait_for.h"

namespace flaky {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class DoctorServersTest : public DoctorTest {
 protected:
  void UsePostgres(const std::string& uri) {
    Set("FLAKY_TESTS_STORE", "postgres");
    Set("FLAKY_TESTS_CONNECTION_STRING", uri);
  }
  void UseTurso(const std::string& url, const std::string& token = "") {
    Set("FLAKY_TESTS_STORE", "turso");
    Set("FLAKY_TESTS_CONNECTION_STRING", url);
    Set("FLAKY_TESTS_AUTH_TOKEN", token);
  }
  void UseSupabase(const std::string& url, const std::string& key) {
    UseTurso(url, key);
    Set("FLAKY_TESTS_STORE", "supabase");
  }
  // Expects a store without problems, whatever the report says about the machine's file systems.
  json ExamineFine() {
    const json report = Examine(Run({"doctor"}).code);
    for (const char* check : {"store", "permissions", "schema", "clock"}) {
      EXPECT_THAT(Found(report, check, "fine"), Not(IsEmpty())) << check;
      EXPECT_THAT(Found(report, check, "warning") + Found(report, check, "problem"), IsEmpty());
    }
    return report;
  }
};

TEST_F(DoctorServersTest, PostgresIsFineAndUnchanged) {
  const std::string uri = PostgresServer::Shared().CreateDatabase();
  UsePostgres(uri);
  EXPECT_THAT(Found(ExamineFine(), "schema", "fine"), HasSubstr("no tables yet"));
  EXPECT_EQ(PostgresServer::Query(uri, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")[0][0], "0");

  ASSERT_EQ(Run({"schema", "migrate"}).code, 0);
  const json report = ExamineFine();
  EXPECT_THAT(Found(report, "schema", "fine"), HasSubstr("which is this program's"));
  EXPECT_THAT(Found(report, "store", "fine"), AllOf(HasSubstr("PostgreSQL 1"), HasSubstr("as `postgres`")));
  EXPECT_THAT(Found(report, "clock", "fine"), HasSubstr("differ by"));
  Set("FLAKY_TESTS_TABLE_PREFIX", "team_");
  EXPECT_THAT(Found(ExamineFine(), "schema", "fine"), HasSubstr("'flaky_test_' exist as well"));
  Unset("FLAKY_TESTS_TABLE_PREFIX");
}

TEST_F(DoctorServersTest, PostgresReportsMissingPrivileges) {
  const PostgresServer& server = PostgresServer::Shared();
  const std::string uri = server.CreateDatabase();
  const std::string database = uri.substr(uri.rfind('/') + 1);
  PostgresServer::Execute(uri,
                          "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'patient') THEN "
                          "CREATE ROLE patient LOGIN PASSWORD 'right' IN ROLE with_password; END IF; END $$; "
                          "REVOKE CREATE ON SCHEMA public FROM PUBLIC");
  UsePostgres(server.Uri(database, "patient", "right"));
  EXPECT_THAT(Found(Examine(12), "schema", "problem"),
              AllOf(HasSubstr("may not create them"), HasSubstr("schema sql")));

  UsePostgres(uri);
  ASSERT_EQ(Run({"schema", "migrate"}).code, 0);
  UsePostgres(server.Uri(database, "patient", "right"));
  json report = Examine(12);
  EXPECT_THAT(Found(report, "permissions", "problem"), HasSubstr("SELECT, INSERT, UPDATE, DELETE on flaky_test_runs"));
  EXPECT_THAT(Found(report, "schema", "warning"), HasSubstr("may not read its version"));

  PostgresServer::Execute(uri, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO patient");
  report = Examine(12);
  EXPECT_THAT(Found(report, "permissions", "problem"),
              AllOf(HasSubstr("permission for: INSERT, UPDATE, DELETE on flaky_test_runs"), HasSubstr("USAGE on ")));
  EXPECT_THAT(Found(report, "schema", "fine"), Not(IsEmpty()));

  // The grants that recording needs, as in docs/stores/postgres.md.
  PostgresServer::Execute(
      uri,
      "GRANT USAGE ON SCHEMA public TO patient; GRANT SELECT, INSERT, UPDATE, DELETE ON "
      "flaky_test_runs, flaky_test_parts, flaky_test_failures, flaky_test_rosters, "
      "flaky_test_claims TO patient; GRANT USAGE ON SEQUENCE flaky_test_failures_id_seq TO patient");
  ExamineFine();

  UsePostgres(server.Uri(database, "patient", "hunter2"));
  EXPECT_THAT(Found(Examine(12), "store", "problem"), HasSubstr("password"));
  EXPECT_THAT(output(), Not(HasSubstr("hunter2")));
}

TEST_F(DoctorServersTest, PostgresReportsWhoElseCanReachTheTables) {
  const PostgresServer server;  // its own, because roles belong to a server
  const std::string uri = server.CreateDatabase();
  const std::string database = uri.substr(uri.rfind('/') + 1);
  UsePostgres(uri);
  ASSERT_EQ(Run({"schema", "migrate"}).code, 0);
  EXPECT_THAT(Found(ExamineFine(), "access", "fine"), IsEmpty());
  PostgresServer::Execute(uri, "GRANT SELECT, INSERT ON flaky_test_runs TO PUBLIC");
  EXPECT_THAT(Found(Examine(1), "access", "warning"),
              AllOf(HasSubstr("every role of the server"), HasSubstr("'flaky_test_runs': INSERT, SELECT"),
                    HasSubstr("REVOKE ALL ON \"public\".\"flaky_test_runs\" FROM PUBLIC")));

  // As in a Supabase project whose tables an earlier version made.
  PostgresServer::Execute(uri,
                          "CREATE ROLE anon; CREATE ROLE authenticated; CREATE ROLE ci LOGIN; GRANT ALL ON ALL TABLES "
                          "IN SCHEMA public TO anon, authenticated; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES "
                          "IN SCHEMA public TO ci; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ci");
  for (const std::string& user : {std::string("postgres"), std::string("ci")}) {
    UsePostgres(server.Uri(database, user));
    EXPECT_THAT(Found(Examine(12), "access", "problem"),
                AllOf(HasSubstr("(anon, authenticated) have rights to 'flaky_test_runs'"),
                      HasSubstr("row-level security is off"), HasSubstr("flaky schema migrate")));
  }
  const Outcome told = Run({"schema", "migrate"});
  EXPECT_EQ(told.code, 0);
  EXPECT_THAT(told.err, AllOf(HasSubstr("(anon, authenticated) have rights"), HasSubstr("their owner 'postgres'")));
  UsePostgres(uri);
  EXPECT_EQ(Run({"schema", "migrate"}).err, "");
  for (const std::string& user : {std::string("postgres"), std::string("ci")}) {
    UsePostgres(server.Uri(database, user));
    EXPECT_THAT(Found(ExamineFine(), "access", "fine"), HasSubstr("are closed to anon, authenticated"));
  }
  // Rights through another role.
  PostgresServer::Execute(uri, "CREATE ROLE staff; GRANT TRUNCATE ON flaky_test_parts TO staff; GRANT staff TO anon");
  UsePostgres(uri);
  EXPECT_THAT(Found(Examine(1), "access", "warning"), AllOf(HasSubstr("'flaky_test_parts'"), HasSubstr("revoke them")));
  PostgresServer::Execute(uri, "REVOKE staff FROM anon");

  // What is hidden from this role.
  PostgresServer::Execute(uri, "DROP POLICY flaky_granted ON flaky_test_failures");
  UsePostgres(server.Uri(database, "ci"));
  EXPECT_THAT(Found(Examine(12), "access", "problem"),
              AllOf(HasSubstr("hides rows of 'flaky_test_failures' from the role 'ci'"), HasSubstr("BYPASSRLS")));
}

TEST_F(DoctorServersTest, PostgresReportsTablesAndCodeOfOtherRoles) {
  const PostgresServer server;
  const std::string uri = server.CreateDatabase();
  const std::string mallory = server.Uri(uri.substr(uri.rfind('/') + 1), "mallory");
  PostgresServer::Execute(uri, "CREATE ROLE mallory LOGIN; GRANT ALL ON SCHEMA public TO mallory");
  UsePostgres(uri);
  ASSERT_EQ(Run({"schema", "migrate"}).code, 0);
  PostgresServer::Execute(uri,
                          "ALTER TABLE flaky_test_parts OWNER TO mallory; GRANT TRIGGER ON flaky_test_runs TO mallory");
  PostgresServer::Execute(
      mallory,
      "CREATE FUNCTION unnest(TEXT[]) RETURNS SETOF TEXT LANGUAGE sql AS $$ SELECT 'x' $$; "
      "CREATE FUNCTION rest_flaky_test_runs(TEXT) RETURNS JSON LANGUAGE sql AS $$ SELECT NULL::json "
      "$$; CREATE FUNCTION grab() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$; "
      "CREATE TRIGGER theirs BEFORE INSERT ON flaky_test_runs FOR EACH ROW EXECUTE FUNCTION grab()");
  const json report = Examine(12);
  EXPECT_THAT(Found(report, "access", "problem"),
              AllOf(HasSubstr("'flaky_test_parts' belongs to the role 'mallory'"), HasSubstr("OWNER TO"),
                    HasSubstr("'flaky_test_runs' has a trigger"), HasSubstr("theirs")));
  EXPECT_THAT(Found(report, "access", "warning"),
              AllOf(HasSubstr("public.unnest(text[]) of the role mallory"), HasSubstr("rest_flaky_test_runs(text)")));
  const Outcome migration = Run({"schema", "migrate"});
  EXPECT_EQ(migration.code, 12);
  EXPECT_THAT(migration.err, AllOf(HasSubstr("'flaky_test_parts'"), HasSubstr("'mallory'")));
}

TEST_F(DoctorServersTest, PostgresNewerDamagedOrUnreachable) {
  PostgresServer server;
  const std::string uri = server.CreateDatabase();
  UsePostgres(uri);
  ASSERT_EQ(Run({"schema", "migrate"}).code, 0);
  PostgresServer::Execute(uri, "DROP TABLE flaky_test_parts CASCADE");
  EXPECT_THAT(Found(Examine(1), "schema", "problem"), HasSubstr("missing: flaky_test_parts"));
  PostgresServer::Execute(uri,
                          "INSERT INTO flaky_test_schema (version, name, checksum, applied_at) "
                          "VALUES (900, 'later', 'x', now())");
  EXPECT_THAT(Found(Examine(13), "schema", "problem"), HasSubstr("version 900"));

  PostgresServer::Execute(
      uri, "ALTER DATABASE \"" + uri.substr(uri.rfind('/') + 1) + "\" SET default_transaction_read_only = on");
  EXPECT_THAT(Found(Examine(12), "permissions", "problem"), HasSubstr("read-only"));

  server.Kill();
  EXPECT_THAT(Found(Examine(10), "store", "problem"), HasSubstr("make sure that the server is running"));
}

TEST_F(DoctorServersTest, LockedPostgresTablesAreWaitedForAWhile) {
  const std::string uri = PostgresServer::Shared().CreateDatabase();
  UsePostgres(uri);
  ASSERT_EQ(Run({"schema", "migrate"}).code, 0);
  for (const char* table : {"flaky_test_runs", "flaky_test_schema"}) {
    std::jthread holder([&] {
      try {
        PostgresServer::Execute(uri, std::string("BEGIN; LOCK TABLE ") + table + "; SELECT pg_sleep(600)");
      } catch (const std::exception&) {
        // It is ended below, so that the lock lasts as long as it is needed.
      }
    });
    WaitFor("the lock of a table", [&] {
      return PostgresServer::Query(uri,
                                   "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted "
                                   "AND relation = $1::regclass",
                                   {table})[0][0] != "0";
    });
    EXPECT_THAT(Found(Examine(11), "store", "problem"), HasSubstr("the process or session that has locked it"));
    PostgresServer::Query(uri,
                          "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND "
                          "granted AND relation = $1::regclass",
                          {table});
    holder.join();
  }
  ExamineFine();
}

TEST_F(DoctorServersTest, TursoIsFineAndUnchanged) {
  const SqldServer server;
  UseTurso(server.url());
  EXPECT_THAT(Found(ExamineFine(), "schema", "fine"), HasSubstr("no tables yet"));
  EXPECT_EQ(server.Query("SELECT count(*) FROM sqlite_master")[0][0], "0");
  ASSERT_EQ(Run({"schema", "migrate"}).code, 0);
  const json report = ExamineFine();
  EXPECT_THAT(Found(report, "schema", "fine"), HasSubstr("which is this program's"));
  EXPECT_THAT(Found(report, "clock", "fine"), HasSubstr("differ by"));
  Set("FLAKY_TESTS_TABLE_PREFIX", "team_");
  EXPECT_THAT(Found(ExamineFine(), "schema", "fine"), HasSubstr("'flaky_test_' exist as well"));
  Unset("FLAKY_TESTS_TABLE_PREFIX");

  server.Execute("INSERT INTO flaky_test_schema (version, name, checksum, applied_at) VALUES (900, 'later', 'x', 'x')");
  EXPECT_THAT(Found(Examine(13), "schema", "problem"), HasSubstr("version 900"));
}

TEST_F(DoctorServersTest, TursoReportsWhatATokenMayNotDo) {
  const SqldServer server({.auth = true, .flags = {}});
  UseTurso(server.url(), server.tokens().read_only);
  EXPECT_THAT(Found(Examine(12), "permissions", "problem"), HasSubstr("for reading only"));
  UseTurso(server.url(), server.tokens().read_write);
  ASSERT_EQ(Run({"schema", "migrate"}).code, 0);
  ExamineFine();
  UseTurso(server.url(), server.tokens().read_only);
  EXPECT_THAT(Found(Examine(12), "permissions", "problem"), HasSubstr("for reading only"));
  EXPECT_THAT(output(), Not(HasSubstr(server.tokens().read_only)));
  UseTurso(server.url(), server.tokens().expired);
  EXPECT_THAT(Found(Examine(12), "store", "problem"), HasSubstr("expired"));
  UseTurso(server.url());
  EXPECT_THAT(Found(Examine(12), "store", "problem"), HasSubstr("none is set"));
}

TEST_F(DoctorServersTest, SupabaseIsFineAndUnchanged) {
  SupabaseServer server({.sql = "", .max_rows = std::nullopt});
  UseSupabase(server.url(), SupabaseServer::SecretKey());
  json report = Examine(10);
  EXPECT_THAT(Found(report, "schema", "problem"),
              AllOf(HasSubstr("no tables"), HasSubstr("schema sql --store supabase")));
  EXPECT_THAT(Found(report, "permissions", "fine"), IsEmpty()) << "permissions are unknown without tables";
  server.Execute(SchemaScript("supabase", kDefaultPrefix));
  server.Restart();
  report = ExamineFine();
  EXPECT_THAT(Found(report, "schema", "fine"), HasSubstr("which is this program's"));
  EXPECT_THAT(Found(report, "clock", "fine"), HasSubstr("differ by"));
  for (const char* table : {"runs", "parts", "failures", "rosters", "claims"}) {
    EXPECT_EQ(server.Query(std::string("SELECT count(*) FROM flaky_test_") + table)[0][0], "0");
  }
  server.Execute(
      "INSERT INTO flaky_test_runs (run_id, started_at) VALUES ('a', '2020-01-01'), ('b', now() + interval '1 day')");
  EXPECT_THAT(Found(Examine(1), "clock", "warning"), HasSubstr("in the future"));
}

TEST_F(DoctorServersTest, SupabaseReportsProblems) {
  SupabaseServer server({.sql = SchemaScript("supabase", kDefaultPrefix), .max_rows = std::nullopt});
  UseSupabase(server.url(), "");
  EXPECT_THAT(Found(Examine(12), "store", "problem"), HasSubstr("none is set"));
  UseSupabase(server.url(), "sb_secret_wrong");
  EXPECT_THAT(Found(Examine(12), "store", "problem"), HasSubstr("does not accept the key"));
  EXPECT_THAT(output(), Not(HasSubstr("sb_secret_wrong")));
  UseSupabase(server.url() + "/elsewhere", SupabaseServer::SecretKey());
  EXPECT_THAT(Found(Examine(10), "store", "problem"), HasSubstr("no REST interface"));
  UseSupabase(server.url(), SupabaseServer::SecretKey());
  // @supabase/lite does not check grants, so this raises PostgreSQL's error for a missing one.
  server.Execute(
      "CREATE OR REPLACE FUNCTION rest_flaky_test_insert(request TEXT) RETURNS JSON LANGUAGE plpgsql AS $$ BEGIN "
      "RAISE insufficient_privilege USING MESSAGE = 'permission denied for table flaky_test_parts'; END $$");
  EXPECT_THAT(
      Found(Examine(12), "permissions", "problem"),
      AllOf(HasSubstr("GRANT SELECT, INSERT, UPDATE, DELETE ON \"flaky_test_runs\""), HasSubstr("service_role")));
  server.Execute("DROP TABLE flaky_test_claims");
  EXPECT_THAT(Found(Examine(10), "store", "problem"), HasSubstr("flaky schema sql --store supabase"));
  server.Kill();
  EXPECT_THAT(Found(Examine(10), "store", "problem"), HasSubstr("make sure that the server is running"));
}

TEST_F(DoctorServersTest, AServerThatDoesNotAnswerTimesOut) {
  const SqldServer& server = SqldServer::Shared();
  FaultProxy proxy(FaultProxy::Protocol::kHttp, server.port());
  UseTurso("http://127.0.0.1:" + std::to_string(proxy.port()));
  proxy.FaultAt(1, ProxyFault::kHang);
  const auto before = std::chrono::steady_clock::now();
  Examine(10);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(20));
  proxy.FaultAt(1, ProxyFault::kHttp503);
  EXPECT_THAT(Found(Examine(10), "store", "problem"), HasSubstr("503"));
}

}  // namespace
}  // namespace flaky
