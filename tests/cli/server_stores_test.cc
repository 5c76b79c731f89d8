// SPDX-License-Identifier: MIT

// The program and a recorded test program on real servers: what a user has to set, and what is reported if something
// is wrong with a server, its credentials or its permissions.

#include <gmock/gmock.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "tests/cli/program_fixture.h"
#include "tests/servers/postgres_server.h"
#include "tests/servers/sqld_server.h"
#include "tests/servers/supabase_server.h"

namespace flaky {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr char kPassword[] = "hunter2 & 'more'";

class ServerStoresTest : public ProgramTest {
 protected:
  ServerStoresTest() { Set("FLAKY_TESTS_DELIVERY_WAIT", kLongWait); }

  void UsePostgres(const std::string& uri) {
    Set("FLAKY_TESTS_STORE", "postgres");
    Set("FLAKY_TESTS_CONNECTION_STRING", uri);
  }
  void UseTurso(const SqldServer& server, const std::string& token = "") {
    Set("FLAKY_TESTS_STORE", "turso");
    Set("FLAKY_TESTS_CONNECTION_STRING", server.url());
    Set("FLAKY_TESTS_AUTH_TOKEN", token);
  }

  // Runs the fixture program with the recorder as users have it. Returns what it wrote to stderr.
  std::string RunTests(const std::string& filter, int expected_status) {
    const std::string command = "cd '" + Path("work") +
                                "' && env -u GTEST_OUTPUT '" FLAKY_FIXTURES "/behaviours' --gtest_filter='" + filter +
                                "' > /dev/null 2> '" + Path("stderr") + "'";
    const int status = std::system(command.c_str());
    EXPECT_EQ(WEXITSTATUS(status), expected_status);
    return Content(Path("stderr"));
  }

  static json Runs() { return json::parse(Run({"runs", "--all", "--json"}).out)["runs"]; }

  // Expects that the next run of the tests creates the tables in the configured store and records the run.
  void ExpectTheNextRunIsRecorded() {
    EXPECT_EQ(RunTests("Plain.Passes:Plain.Fails", 1), "");
    const json runs = Runs();
    ASSERT_THAT(runs, SizeIs(1));
    EXPECT_EQ(runs[0]["status"], "fail");
    EXPECT_EQ(runs[0]["total_tests"], 2);
    EXPECT_EQ(runs[0]["failed_tests"], 1);
    EXPECT_FALSE(std::filesystem::exists(Path("h.db")));
    EXPECT_EQ(Run({"schema", "status"}).code, 0);
    const Outcome check = Run({"check", "--rule", "npm"});
    EXPECT_EQ(check.code, 1);
    EXPECT_THAT(check.out, AllOf(HasSubstr("Plain.Fails"), HasSubstr("2 failures (assertion)")));
    EXPECT_EQ(Run({"trend", "--days", "2"}).code, 0);
    EXPECT_THAT(Run({"show", "latest"}).out, HasSubstr("Plain.Fails"));
  }
};

TEST_F(ServerStoresTest, TwoVariablesAreEnoughForPostgres) {
  UsePostgres(PostgresServer::Shared().CreateDatabase());
  ExpectTheNextRunIsRecorded();
}

TEST_F(ServerStoresTest, LibpqsVariablesAreEnoughForPostgres) {
  const std::string uri = PostgresServer::Shared().CreateDatabase();
  Set("FLAKY_TESTS_STORE", "postgres");
  Set("PGHOST", "127.0.0.1");
  Set("PGPORT", std::to_string(PostgresServer::Shared().port()));
  Set("PGUSER", "postgres");
  Set("PGDATABASE", uri.substr(uri.rfind('/') + 1));
  ExpectTheNextRunIsRecorded();
}

TEST_F(ServerStoresTest, TwoVariablesAreEnoughForTurso) {
  const SqldServer server;
  UseTurso(server);
  ExpectTheNextRunIsRecorded();
}

TEST_F(ServerStoresTest, SupabaseRecordsRunsOnceACommandMadeItsTables) {
  SupabaseServer server({.sql = "", .max_rows = std::nullopt});
  Set("FLAKY_TESTS_STORE", "supabase");
  Set("FLAKY_TESTS_CONNECTION_STRING", server.url());
  Set("FLAKY_TESTS_AUTH_TOKEN", SupabaseServer::SecretKey());
  EXPECT_THAT(RunTests("Plain.Passes", 0), HasSubstr("flaky schema migrate"));
  const Outcome runs = Run({"runs"});
  EXPECT_EQ(runs.code, 10);
  EXPECT_THAT(runs.err, AllOf(HasSubstr("flaky schema sql --store supabase"), HasSubstr("flaky schema migrate")));
  const Outcome missing = Run({"schema", "status"});
  EXPECT_EQ(missing.code, 10);
  EXPECT_THAT(missing.out, HasSubstr("flaky schema migrate creates them"));

  const Outcome refused = Run({"schema", "migrate"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("FLAKY_TESTS_SUPABASE_DB"), HasSubstr("--management-api")));
  EXPECT_EQ(Run({"schema", "migrate", "--management-api"}).code, 2) << "without its token";

  Set("FLAKY_TESTS_SUPABASE_DB", server.database_uri());
  EXPECT_EQ(Run({"schema", "migrate"}).code, 0);
  server.Restart();  // a real project reloads its schema by itself
  EXPECT_EQ(Run({"schema", "status"}).code, 0);
  EXPECT_THAT(Run({"schema", "migrate"}).out, HasSubstr("nothing to do"));
  EXPECT_EQ(RunTests("Plain.Fails", 1), "");
  EXPECT_THAT(Runs(), SizeIs(2)) << "the first one waited in the spool";
}

TEST_F(ServerStoresTest, ATokenIsEnoughIfTheServerRequiresOne) {
  const SqldServer server({.auth = true, .flags = {}});
  UseTurso(server, server.tokens().read_write);
  ExpectTheNextRunIsRecorded();
}

TEST_F(ServerStoresTest, EachKindOfWrongTokenHasItsOwnError) {
  const SqldServer server({.auth = true, .flags = {}});
  UseTurso(server, server.tokens().read_write);
  ASSERT_EQ(Run({"schema", "migrate"}).code, 0);

  const auto refusal = [&](const std::string& token, const std::vector<std::string>& command) {
    UseTurso(server, token);
    const Outcome outcome = Run(command);
    EXPECT_EQ(outcome.code, 12) << outcome.err;
    if (!token.empty()) {
      EXPECT_THAT(outcome.err + outcome.out, Not(HasSubstr(token)));
    }
    return outcome.err;
  };
  EXPECT_THAT(refusal("", {"runs"}), AllOf(HasSubstr("FLAKY_TESTS_AUTH_TOKEN"), HasSubstr("none is set")));
  EXPECT_THAT(refusal(server.tokens().foreign, {"runs"}), HasSubstr("does not accept the token"));
  EXPECT_THAT(refusal(server.tokens().garbage, {"runs"}), HasSubstr("does not accept the token"));
  EXPECT_THAT(refusal(server.tokens().expired, {"runs"}), HasSubstr("expired"));

  UseTurso(server, server.tokens().read_only);
  EXPECT_EQ(Run({"runs"}).code, 6) << "a read-only token is enough for reading, and there is no run";
  const std::string warning = RunTests("Plain.Passes", 0);
  EXPECT_THAT(warning, AllOf(HasSubstr("for reading only"), Not(HasSubstr(server.tokens().read_only))));
  const Outcome delivery = Run({"deliver"});
  EXPECT_EQ(delivery.code, 12);
  EXPECT_THAT(delivery.err, HasSubstr("for reading only"));

  UseTurso(server, server.tokens().read_write);
  EXPECT_THAT(Runs(), SizeIs(1)) << "what could not be delivered waited";
}

TEST_F(ServerStoresTest, PostgresRefusalsSayWhatToDo) {
  const PostgresServer& server = PostgresServer::Shared();
  const std::string uri = server.CreateDatabase();
  const std::string database = uri.substr(uri.rfind('/') + 1);
  PostgresServer::Execute(uri,
                          "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'careful') THEN "
                          "CREATE ROLE careful LOGIN PASSWORD 'right' IN ROLE with_password; END IF; END $$");
  const auto outcome = [&](const std::string& string) {
    UsePostgres(string);
    Outcome result = Run({"runs"});
    EXPECT_THAT(result.out + result.err, Not(HasSubstr("hunter2")));
    return result;
  };

  Outcome wrong = outcome(server.Uri(database, "careful", kPassword));
  EXPECT_EQ(wrong.code, 12);
  EXPECT_THAT(wrong.err, HasSubstr("password"));
  wrong = outcome(server.Uri(database, "careful"));
  EXPECT_EQ(wrong.code, 12);
  wrong = outcome(server.Uri("nowhere", "postgres"));
  EXPECT_EQ(wrong.code, 10);
  EXPECT_THAT(wrong.err, HasSubstr("nowhere"));
  wrong = outcome(PostgresUri(1, "x", "postgres", kPassword));
  EXPECT_EQ(wrong.code, 10);
  wrong = outcome("host=127.0.0.1 nonsense=1 password=hunter2");
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("invalid connection option"));
}

TEST_F(ServerStoresTest, AnAdministratorCanMakeTheTablesForAnotherRole) {
  const PostgresServer& server = PostgresServer::Shared();
  const std::string uri = server.CreateDatabase();
  const std::string database = uri.substr(uri.rfind('/') + 1);
  PostgresServer::Execute(uri,
                          "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'recorder') THEN "
                          "CREATE ROLE recorder LOGIN; END IF; END $$; "
                          "REVOKE CREATE ON SCHEMA public FROM PUBLIC");
  UsePostgres(server.Uri(database, "recorder"));
  EXPECT_THAT(RunTests("Plain.Fails", 1), HasSubstr("flaky schema sql --store postgres"));
  EXPECT_EQ(Run({"deliver"}).code, 12);

  const Outcome script = Run({"schema", "sql", "--store", "postgres"});
  ASSERT_EQ(script.code, 0);
  PostgresServer::Execute(uri, script.out);
  PostgresServer::Execute(uri,
                          "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO recorder; "
                          "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO recorder");
  EXPECT_EQ(Run({"schema", "status"}).code, 0);
  EXPECT_EQ(Run({"deliver"}).code, 0);
  EXPECT_THAT(Runs(), SizeIs(1));
}

TEST_F(ServerStoresTest, ARoleThatSeesOnlySomeRowsGetsAnErrorFromEveryCommand) {
  const PostgresServer& server = PostgresServer::Shared();
  const std::string uri = server.CreateDatabase();
  const std::string mover = server.Uri(uri.substr(uri.rfind('/') + 1), "mover");
  UsePostgres(uri);
  EXPECT_EQ(RunTests("Plain.Passes:Plain.Fails", 1), "");
  ASSERT_THAT(Runs(), SizeIs(1));
  PostgresServer::Execute(uri,
                          "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mover') THEN CREATE ROLE "
                          "mover LOGIN; END IF; END $$; GRANT SELECT ON ALL TABLES IN SCHEMA public TO mover");
  const std::string old = "sqlite:" + Path("moved.db");
  ASSERT_EQ(Run({"migrate-store", "--from", uri, "--to", old}).code, 0);
  UsePostgres(mover);
  EXPECT_EQ(Run({"runs"}).code, 0) << "nothing is hidden yet";
  const std::vector<std::vector<std::string>> commands = {
      {"migrate-store", "--from", mover, "--to", "sqlite:" + Path("copy.db")},
      {"migrate-store", "--from", mover, "--to", "sqlite:" + Path("copy.db"), "--json"},
      {"verify", "--source", mover, "--target", old},
      {"verify", "--source", old, "--target", mover},
      {"export", Path("x.jsonl")},
      {"runs"},
      {"check"},
      {"check", "--rule", "npm"},
      {"tests"},
      {"trend"},
      {"show", "latest"},
      {"deliver"}};
  for (const std::string table : {"flaky_test_failures", "flaky_test_runs"}) {
    // Another test may have made public roles: then row-level security is on, with a policy that admits this role.
    PostgresServer::Execute(uri, "ALTER TABLE " + table +
                                     " ENABLE ROW LEVEL SECURITY; DROP POLICY IF EXISTS "
                                     "flaky_granted ON " +
                                     table);
    EXPECT_THAT(RunTests("Plain.Passes", 0), HasSubstr("row-level security hides rows"));
    for (const std::vector<std::string>& command : commands) {
      const Outcome outcome = Run(command);
      EXPECT_EQ(outcome.code, 12) << command[0] << ": " << outcome.out;
      EXPECT_THAT(outcome.err,
                  AllOf(HasSubstr("row-level security hides rows"), HasSubstr(table), HasSubstr("'mover'")))
          << command[0];
      EXPECT_THAT(outcome.out, Not(HasSubstr("verified"))) << command[0];
      EXPECT_FALSE(std::filesystem::exists(Path("x.jsonl")));
    }
  }
}

TEST_F(ServerStoresTest, ACopyOfNothingIsNotCalledVerified) {
  const std::string empty = PostgresServer::Shared().CreateDatabase();
  UsePostgres(empty);
  ASSERT_EQ(Run({"schema", "migrate"}).code, 0);
  const std::string to = "sqlite:" + Path("copy.db");
  const Outcome copy = Run({"migrate-store", "--from", empty, "--to", to});
  EXPECT_EQ(copy.code, 0);
  EXPECT_THAT(copy.out, AllOf(HasSubstr("the source has no runs"), Not(HasSubstr("verified"))));
  EXPECT_EQ(json::parse(Run({"migrate-store", "--from", empty, "--to", to, "--json"}).out)["verified"], false);
  EXPECT_THAT(Run({"verify", "--source", empty, "--target", to}).out,
              AllOf(HasSubstr("neither store has runs"), Not(HasSubstr("equal:"))));
  EXPECT_THAT(Run({"export", Path("x.jsonl")}).out,
              AllOf(HasSubstr("the export is empty"), Not(HasSubstr("verified"))));
}

TEST_F(ServerStoresTest, TheFirstRunInASupabaseDatabaseIsClosedToPublicRoles) {
  const PostgresServer server;  // its own, because roles belong to a server
  const std::string uri = server.CreateDatabase();
  const std::string defaults = "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON ";
  PostgresServer::Execute(uri, "CREATE ROLE anon; CREATE ROLE authenticated; CREATE ROLE service_role BYPASSRLS; " +
                                   defaults + "TABLES TO anon, authenticated, service_role; " + defaults +
                                   "SEQUENCES TO anon, authenticated, service_role");
  UsePostgres(uri);
  EXPECT_EQ(RunTests("Plain.Passes:Plain.Fails", 1), "");
  for (const std::string role : {"anon", "authenticated"}) {
    for (const std::string sql :
         {"SELECT count(*) FROM flaky_test_failures", "DELETE FROM flaky_test_failures", "TRUNCATE flaky_test_failures",
          "INSERT INTO flaky_test_runs (run_id, started_at) VALUES ('x', now())",
          "SELECT setval('flaky_test_failures_id_seq', 1)"}) {
      EXPECT_ANY_THROW(PostgresServer::Execute(uri, "SET ROLE " + role + "; " + sql)) << role << ": " << sql;
    }
  }
  PostgresServer::Execute(uri, "SET ROLE service_role; DELETE FROM flaky_test_claims");
  EXPECT_THAT(Runs(), SizeIs(1));
  EXPECT_THAT(Run({"doctor"}).out, HasSubstr("access: the tables are closed to anon, authenticated"));
}

TEST_F(ServerStoresTest, ReportsTheSameAfterMovesBetweenAllOfThem) {
  const SqldServer sqld;
  const std::string uri = PostgresServer::Shared().CreateDatabase();
  std::vector<RunRecord> records;
  for (int i = 0; i < 40; ++i) {
    BuildRecord record("run" + std::to_string(i));
    records.push_back(record.Project("demo").Part("p", i * 60, 1).Fail("Suite.Test" + std::to_string(i % 7)).Build());
  }
  Keep(records);
  const auto history = [&] {
    return Run({"runs", "--all", "--json", "--limit", "100"}).out +
           Run({"check", "--rule", "npm", "--at", "2026-01-02", "--json"}).out +
           Run({"tests", "--all", "--at", "2026-01-02", "--json"}).out +
           Run({"trend", "--at", "2026-01-02", "--json"}).out + Run({"show", "run7"}).out;
  };
  const std::string before = history();
  ASSERT_THAT(before, HasSubstr("Suite.Test3"));

  const auto copy = [&](const std::string& from, const std::string& to) {
    const Outcome outcome = Run({"migrate-store", "--from", from, "--to", to, "--json"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    const json summary = json::parse(outcome.out);
    EXPECT_EQ(summary["copied"], 40);
    EXPECT_EQ(summary["source_digest"], summary["target_digest"]);
  };
  const std::string first = "sqlite:" + Path("h.db");
  const std::string back = "sqlite:" + Path("back.db");
  copy(first, uri);
  copy(uri, sqld.url());
  copy(sqld.url(), back);
  for (const std::string& source : {first, uri, sqld.url(), back}) {
    for (const std::string& target : {first, uri, sqld.url(), back}) {
      if (source == target) continue;
      const Outcome outcome = Run({"verify", "--source", source, "--target", target});
      EXPECT_EQ(outcome.code, 0) << source << " and " << target << ": " << outcome.out << outcome.err;
    }
  }

  UsePostgres(uri);
  EXPECT_EQ(history(), before);
  UseTurso(sqld);
  EXPECT_EQ(history(), before);
  Unset("FLAKY_TESTS_STORE");
  Unset("FLAKY_TESTS_CONNECTION_STRING");
  Set("FLAKY_TESTS_DB", Path("back.db"));
  EXPECT_EQ(history(), before);
}

TEST_F(ServerStoresTest, OneChangedCharacterOnTheServerIsFound) {
  const SqldServer sqld;
  const std::string uri = PostgresServer::Shared().CreateDatabase();
  std::vector<RunRecord> records;
  for (int i = 0; i < 30; ++i) {
    BuildRecord record("run" + std::to_string(i));
    records.push_back(record.Project("demo").Part("p", i * 60, 1).Fail("Suite.Test").Build());
  }
  Keep(records);
  const std::string change = "UPDATE flaky_test_failures SET error_message = 'Expected: tRue' WHERE run_id = 'run17'";
  const auto expect_found = [&](const std::string& target) {
    const Outcome outcome = Run({"verify", "--source", "sqlite:" + Path("h.db"), "--target", target});
    EXPECT_EQ(outcome.code, 5) << outcome.err;
    EXPECT_THAT(outcome.out, testing::StartsWith("* run17  the failure of Suite.Test at "));
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("`Expected: true` in the source and `Expected: tRue` in the target"),
                                   HasSubstr("different 1, equal 29\n")));
    EXPECT_EQ(Run({"verify", "--source", "sqlite:" + Path("h.db"), "--target", target, "--quick"}).code, 0);
  };
  ASSERT_EQ(Run({"migrate-store", "--from", "sqlite:" + Path("h.db"), "--to", uri}).code, 0);
  PostgresServer::Execute(uri, change);
  expect_found(uri);
  ASSERT_EQ(Run({"migrate-store", "--from", "sqlite:" + Path("h.db"), "--to", sqld.url()}).code, 0);
  sqld.Execute(change);
  expect_found(sqld.url());
  EXPECT_EQ(Run({"verify", "--source", uri, "--target", sqld.url()}).code, 0) << "both were changed in the same way";
}

TEST_F(ServerStoresTest, AFileMovesAHistoryBetweenAllOfThem) {
  const SqldServer sqld;
  const std::string uri = PostgresServer::Shared().CreateDatabase();
  std::vector<RunRecord> records;
  for (int i = 0; i < 40; ++i) {
    BuildRecord record("run" + std::to_string(i));
    records.push_back(record.Project("demo").Part("p", i * 60, 1).Fail("Suite.Test", "\x01 \xE2\x82\xAC \"").Build());
  }
  records[7].run.account.started_at = *Timestamp::Parse("2026-01-01T00:00:00.123456Z");
  records[8].failures[0].line = std::numeric_limits<int64_t>::min();
  Keep(records);
  // Copies through a file and returns the digest, which must be the same after each step.
  const auto carry = [&](const std::string& from, const std::string& file, const std::string& to) {
    const Outcome exported = Run({"export", Path(file), "--from", from, "--json"});
    EXPECT_EQ(exported.code, 0) << exported.err;
    const Outcome imported = Run({"import", Path(file), "--to", to, "--json"});
    EXPECT_EQ(imported.code, 0) << imported.err;
    const json summary = json::parse(imported.out);
    EXPECT_EQ(summary["copied"], 40);
    EXPECT_EQ(summary["target_digest"], summary["source_digest"]);
    EXPECT_EQ(summary["source_digest"], json::parse(exported.out)["digest"]);
    return summary["target_digest"];
  };
  const json digest = carry("sqlite:" + Path("h.db"), "a.jsonl", uri);
  EXPECT_EQ(carry(uri, "b.jsonl.gz", sqld.url()), digest);
  EXPECT_EQ(carry(sqld.url(), "c.jsonl.zst", PostgresServer::Shared().CreateDatabase()), digest);
  EXPECT_EQ(carry(sqld.url(), "d.jsonl", "sqlite:" + Path("back.db")), digest);
}

TEST_F(ServerStoresTest, APasswordInAnArgumentIsRefused) {
  Outcome outcome = Run({"migrate-store", "--from", "postgresql://u:hunter2@127.0.0.1:1/x"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("--from"), HasSubstr("FLAKY_TESTS_SOURCE_CONNECTION_STRING"), Not(HasSubstr("hunter2"))));
  Keep({});
  outcome = Run({"migrate-store", "--from", "sqlite:" + Path("h.db"), "--to", "libsql://h?authToken=hunter2"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("--to"), Not(HasSubstr("hunter2"))));
}

TEST_F(ServerStoresTest, SchemaSqlIsPrintedForEachStoreWithTables) {
  Set("FLAKY_TESTS_TABLE_PREFIX", "team_");
  for (const char* store : {"sqlite", "turso", "postgres", "supabase"}) {
    const Outcome outcome = Run({"schema", "sql", "--store", store});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.out,
                AllOf(HasSubstr("\"team_runs\""), HasSubstr("\"team_schema\""), Not(HasSubstr("{prefix}"))));
    EXPECT_EQ(outcome.err, "");
  }
  EXPECT_EQ(Run({"schema", "sql"}).out, Run({"schema", "sql", "--store", "sqlite"}).out) << "the configured store";
  for (const char* none : {"jsonl", "mysql", ""})
    EXPECT_EQ(Run({"schema", "sql", "--store", none}).code, *none ? 2 : 0);
  EXPECT_THAT(Run({"schema", "sql"}).err, IsEmpty());
}

}  // namespace
}  // namespace flaky
