// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <functional>
#include <optional>
#include <stdexcept>

#include "history/masked.h"
#include "stores/open.h"
#include "stores/supabase/migrate.h"
#include "stores/supabase/supabase_store.h"
#include "stores/supabase/url.h"
#include "tests/servers/certificates.h"
#include "tests/servers/supabase_server.h"
#include "tests/servers/tls_proxy.h"
#include "tests/stores/canned_server.h"
#include "tests/stores/own_variable.h"
#include "tests/support/record_builder.h"
#include "tests/support/temp_folder.h"

// What is special about Supabase: keys, missing tables, the errors of its interface, and how tables are made.
namespace flaky {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string& Script() {
  static const std::string script = SchemaScript("supabase", kDefaultPrefix);
  return script;
}

SupabaseServer& Server() {
  struct WithTables : SupabaseServer {
    WithTables() : SupabaseServer({.sql = Script(), .max_rows = std::nullopt}) {}
  };
  static ProcessWide<WithTables> server;
  return server.get();
}

Location LocationOf(const std::string& url, const std::string& key) {
  Location location = ParseLocation("supabase:" + url);
  location.token = Secret(key);
  return location;
}

std::optional<StoreError> ErrorOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const StoreError& error) {
    return error;
  }
  return std::nullopt;
}

std::optional<StoreError> ErrorWith(const std::string& url, const std::string& key, OpenMode mode = OpenMode::kWrite) {
  return ErrorOf([&] { supabase::Open(LocationOf(url, key), mode); });
}

TEST(SupabaseKeys, ThatAreRefusedAreExplained) {
  struct Case {
    std::string key;
    const char* told;
  };
  for (const Case& each : {
           Case{"", "requires a key and none is set"},
           Case{"sb_secret_of_another_project", "does not accept the key"},
           Case{SupabaseServer::PublishableKey(), "a publishable one, which cannot read"},
           Case{"a key\nX: y", "contains a blank"},
       }) {
    for (const OpenMode mode : {OpenMode::kRead, OpenMode::kWrite}) {
      const auto error = ErrorWith(Server().url(), each.key, mode);
      ASSERT_TRUE(error) << each.told;
      EXPECT_EQ(error->kind(), ErrorKind::kAuth);
      EXPECT_THAT(error->what(), HasSubstr(each.told));
      EXPECT_TRUE(each.key.empty() || std::string(error->what()).find(each.key) == std::string::npos);
    }
  }
}

TEST(SupabaseKeys, APublishableOneSeesNoRowOfAnyTable) {
  supabase::Open(LocationOf(Server().url(), SupabaseServer::SecretKey()), OpenMode::kWrite)
      ->Write(std::vector{BuildRecord("a").Part("p", 0, 1).Fail("S.T").Build()});
  Server().Execute("GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO anon");
  for (const char* table : {"runs", "parts", "failures", "rosters", "schema", "supabase_schema"}) {
    EXPECT_THAT(Server().Query("SELECT count(*) > 0 FROM flaky_test_" + std::string(table)),
                ElementsAre(ElementsAre("t")));
    // The role of a publishable key, even if an older project grants it every table.
    Server().Execute("SET ROLE anon; DO $$ BEGIN IF EXISTS (SELECT FROM flaky_test_" + std::string(table) +
                     ") THEN RAISE 'a row is seen'; END IF; END $$");
  }
}

// A project grants new tables, sequences and functions to everybody.
TEST(SupabaseKeys, APublishableOneHasNoRightThatRowLevelSecurityDoesNotCover) {
  SupabaseServer server({.sql = "", .max_rows = std::nullopt});
  for (const char* kind : {"TABLES", "SEQUENCES", "FUNCTIONS"}) {
    server.Execute(std::string("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON ") + kind +
                   " TO anon, authenticated, service_role");
  }
  for (int times = 0; times < 2; ++times) {
    server.Execute(Script());
    for (const std::string role : {"'anon'", "'authenticated'"}) {
      EXPECT_THAT(server.Query("SELECT count(*) FROM pg_class WHERE relname LIKE 'flaky_test_%' AND relkind = 'r' AND "
                               "has_table_privilege(" +
                               role + ", oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')"),
                  ElementsAre(ElementsAre("0")));
      EXPECT_THAT(server.Query("SELECT has_sequence_privilege(" + role +
                               ", 'flaky_test_failures_id_seq', 'USAGE, SELECT, UPDATE')"),
                  ElementsAre(ElementsAre("f")));
      EXPECT_THAT(server.Query("SELECT count(*) FROM pg_proc WHERE proname LIKE 'rest_flaky%' AND "
                               "has_function_privilege(" +
                               role + ", oid, 'EXECUTE')"),
                  ElementsAre(ElementsAre("0")));
    }
    // What a version that did not revoke it left.
    server.Execute(
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO anon, PUBLIC; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO "
        "anon");
  }
}

// With functions of another role that match better than the server's own.
TEST(SupabaseFunctions, CallNoFunctionOfAnotherRole) {
  SupabaseServer server({.sql = Script(), .max_rows = std::nullopt});
  std::string traps;
  for (const std::string name : {"unnest", "cardinality", "to_json"}) {
    const std::string type = name == "unnest" ? "SETOF TEXT" : name == "to_json" ? "JSON" : "INTEGER";
    const std::string give = name == "unnest" ? "RETURN QUERY SELECT" : "RETURN";
    traps += "; CREATE FUNCTION " + name + "(TEXT[]) RETURNS " + type +
             " LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.loot VALUES ('" + name + "'); " + give + " pg_catalog." +
             name + "($1); END $$";
  }
  server.Execute(
      "CREATE TABLE loot (what TEXT); GRANT ALL ON loot TO PUBLIC; DO $$ BEGIN IF to_regrole('mallory') IS NULL THEN "
      "CREATE ROLE mallory; END IF; END $$; GRANT ALL ON SCHEMA public TO mallory; SET ROLE mallory" +
      traps);
  server.Query("SELECT to_json(ARRAY['x'])");
  EXPECT_THAT(server.Query("SELECT count(*) FROM loot"), ElementsAre(ElementsAre("1"))) << "the traps work";
  server.Execute("TRUNCATE loot");
  server.Restart();
  const Location location = LocationOf(server.url(), SupabaseServer::SecretKey());
  const auto store = supabase::Open(location, OpenMode::kWrite);
  store->Write(std::vector{BuildRecord("a").Part("p", 0, 1).Fail("S.T").Build()});
  store->Write(std::vector{BuildRecord("a").Part("p", 0, 1).Fail("S.T").Part("q", 9).Build()});
  const std::string id = "a";
  EXPECT_EQ(store->Fetch({&id, 1}).size(), 1u);
  EXPECT_EQ(store->Read({}).records.size(), 1u);
  EXPECT_EQ(store->FindRuns("a", 9).size(), 1u);
  store->VisitFailures({}, [](const FailureView&) {});
  EXPECT_EQ(store->Count({}).parts, 2);
  EXPECT_THAT(server.Query("SELECT what FROM loot"), testing::IsEmpty());
  EXPECT_THAT(server.Query("SELECT count(*) FROM pg_proc WHERE proname LIKE 'rest_flaky%' AND NOT 'search_path="
                           "pg_catalog, pg_temp' = ANY (proconfig)"),
              ElementsAre(ElementsAre("0")));
  // The script itself stops.
  try {
    server.Execute(Script());
    ADD_FAILURE() << "no error";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("function public.unnest(text[])"), HasSubstr("mallory")));
  }
}

TEST(SupabaseFunctions, AnswerARoleThatDoesNotSeeEveryRowWithAnError) {
  SupabaseServer server({.sql = Script(), .max_rows = std::nullopt});
  supabase::Open(LocationOf(server.url(), SupabaseServer::SecretKey()), OpenMode::kWrite)
      ->Write(std::vector{BuildRecord("a").Part("p", 0, 1).Fail("S.T").Build()});
  server.Execute(
      "DO $$ BEGIN IF to_regrole('limited') IS NULL THEN CREATE ROLE limited; END IF; END $$; GRANT ALL ON ALL TABLES "
      "IN SCHEMA public TO limited; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO limited");
  for (const char* call :
       {"rest_flaky_test_count('{}')", "rest_flaky_test_schema()", R"(rest_flaky_test_find('{"prefix":"","most":9}'))",
        R"(rest_flaky_test_runs('{"most":9,"bytes":99,"whole":true}'))",
        R"(rest_flaky_test_fetch('{"ids":["a"],"bytes":99}'))",
        R"(rest_flaky_test_failures('{"most":9,"bytes":99,"texts":true}'))"}) {
    try {
      server.Execute(std::string("SET ROLE limited; SELECT ") + call);
      ADD_FAILURE() << call;
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr("affected by row-level security policy for table")) << call;
    }
  }
}

// Checks what is sent over the wire.
TEST(SupabaseKeys, OfBothKindsAreSentInTheRightHeaders) {
  const std::string ledgers = R"({"tables":null,"functions":null})";
  CannedServer server({CannedServer::Answer("200 OK", ledgers)});
  supabase::Open(LocationOf(server.url(), "sb_secret_new"), OpenMode::kRead);
  supabase::Open(LocationOf(server.url(), "eyJhbGciOi.legacy"), OpenMode::kRead);
  const std::vector<std::string> requests = server.requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_THAT(requests, Each(HasSubstr("POST /rest/v1/rpc/rest_flaky_test_schema HTTP/1.1")));
  EXPECT_THAT(requests[0], AllOf(HasSubstr("apikey: sb_secret_new\r\n"), Not(HasSubstr("Authorization"))));
  EXPECT_THAT(requests[1], AllOf(HasSubstr("apikey: eyJhbGciOi.legacy\r\n"),
                                 HasSubstr("Authorization: Bearer eyJhbGciOi.legacy\r\n")));
}

TEST(SupabaseTables, ThatAreMissingAreNamedWithWhatMakesThem) {
  SupabaseServer server({.sql = "", .max_rows = std::nullopt});
  const Location location = LocationOf(server.url(), SupabaseServer::SecretKey());
  for (const OpenMode mode : {OpenMode::kRead, OpenMode::kWrite}) {
    const auto error = ErrorOf([&] { supabase::Open(location, mode); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::kMissing);
    EXPECT_THAT(error->what(),
                AllOf(HasSubstr("`flaky schema sql --store supabase`"), HasSubstr("`flaky schema migrate`")));
  }
  // Twice, and also if the tables exist without the functions.
  EXPECT_EQ(MigrateFromOutside(location, Secret(server.database_uri()), {}).pending.size(), 0u);
  const SchemaState made = MigrateFromOutside(location, Secret(server.database_uri()), {});
  server.Restart();
  const auto store = supabase::Open(location, OpenMode::kWrite);
  EXPECT_EQ(store->schema().found, made.found);
  EXPECT_EQ(store->schema().known, made.known);
  store->Write(std::vector{BuildRecord("a").Part("p", 0).Build()});
  EXPECT_EQ(store->Count({}).runs, 1);
  // The same tables, through the database itself.
  EXPECT_EQ(OpenStore(ParseLocation(server.database_uri()), OpenMode::kWrite)->Count({}).runs, 1);
}

TEST(SupabaseTables, OfAnotherVersionAreReported) {
  SupabaseServer server({.sql = Script(), .max_rows = std::nullopt});
  const Location location = LocationOf(server.url(), SupabaseServer::SecretKey());
  server.Execute("DELETE FROM flaky_test_supabase_schema");
  const auto old = ErrorOf([&] { supabase::Open(location, OpenMode::kWrite); });
  ASSERT_TRUE(old);
  EXPECT_EQ(old->kind(), ErrorKind::kMissing);
  EXPECT_THAT(old->what(), AllOf(HasSubstr("'0001_functions' is pending"), HasSubstr("`flaky schema migrate`")));
  EXPECT_EQ(supabase::Open(location, OpenMode::kRead)->Count({}).runs, 0);

  server.Execute("INSERT INTO flaky_test_schema VALUES (99, 'later', 'x', now())");
  const auto newer = ErrorOf([&] { supabase::Open(location, OpenMode::kWrite); });
  ASSERT_TRUE(newer);
  EXPECT_EQ(newer->kind(), ErrorKind::kSchemaTooNew);
}

TEST(SupabaseTables, AMissingRightIsNamedWithTheStatement) {
  SupabaseServer server({.sql = Script(), .max_rows = std::nullopt});
  server.Execute("REVOKE EXECUTE ON FUNCTION rest_flaky_test_schema FROM service_role");
  const auto error = ErrorWith(server.url(), SupabaseServer::SecretKey());
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kAuth);
  EXPECT_THAT(error->what(), HasSubstr("GRANT EXECUTE ON FUNCTION \"rest_flaky_test_schema\" TO service_role;"));
}

// Answers that PostgREST or its gateway give, but not the test server.
TEST(SupabaseAnswers, AreErrorsWithAdvice) {
  const auto said = [](const std::string& status, const std::string& code, const std::string& message) {
    return CannedServer::Answer(
        status, R"({"code":")" + code + R"(","details":null,"hint":null,"message":")" + message + R"("})");
  };
  struct Case {
    std::string answer;
    ErrorKind kind;
    const char* told;
  };
  for (const Case& each : {
           Case{said("404 Not Found", "PGRST205", "no table"), ErrorKind::kMissing, "`flaky schema migrate`"},
           Case{said("404 Not Found", "42P01", "no relation"), ErrorKind::kMissing, "`flaky schema migrate`"},
           Case{said("403 Forbidden", "42501", "permission denied for table flaky_test_runs"), ErrorKind::kAuth,
                "GRANT SELECT, INSERT, UPDATE, DELETE ON \"flaky_test_runs\""},
           Case{said("403 Forbidden", "42501",
                     "query would be affected by row-level security policy for table flaky_test_runs"),
                ErrorKind::kAuth, "hides rows from the key's role"},
           Case{said("401 Unauthorized", "PGRST301", "bad key"), ErrorKind::kAuth, "does not accept the key"},
           Case{CannedServer::Answer("401 Unauthorized", ""), ErrorKind::kAuth, "does not accept the key"},
           Case{CannedServer::Answer("401 Unauthorized", R"({"message":"Invalid API key","hint":"x"})"),
                ErrorKind::kAuth, "Invalid API key"},
           Case{said("503 Service Unavailable", "PGRST002", "no schema cache"), ErrorKind::kTransient, "paused"},
           Case{said("504 Gateway Timeout", "PGRST003", "pool"), ErrorKind::kTransient, "connections"},
           Case{said("500 Oh", "57014", "canceling statement"), ErrorKind::kTransient, "statement_timeout"},
           Case{said("500 Oh", "40P01", "deadlock detected"), ErrorKind::kTransient, "deadlock detected"},
           Case{said("400 Bad Request", "25006", "no writes"), ErrorKind::kMissing, "this database only reads"},
           Case{said("400 Bad Request", "22P02", "invalid input"), ErrorKind::kInvalid, "invalid input"},
           Case{said("400 Bad Request", "PGRST102", "bad JSON"), ErrorKind::kInvalid, "bad JSON"},
           Case{CannedServer::Answer("429 Too Many Requests", "", "Retry-After: 3\r\n"), ErrorKind::kTransient, "429"},
           Case{CannedServer::Answer("404 Not Found", "<html>"), ErrorKind::kMissing, "no REST interface"},
           Case{CannedServer::Answer("540 Project Paused", ""), ErrorKind::kPermanent, "restore it in the dashboard"},
           Case{CannedServer::Answer("301 Moved", "", "Location: http://elsewhere.invalid/\r\n"), ErrorKind::kPermanent,
                "redirects to another address"},
           Case{CannedServer::Answer("200 OK", "hello"), ErrorKind::kTransient,
                "is not that of a Supabase project's REST"},
           Case{CannedServer::Answer("200 OK", "[]"), ErrorKind::kTransient,
                "is not that of a Supabase project's REST"},
       }) {
    CannedServer server({each.answer});
    const auto error = ErrorWith(server.url(), "sb_secret_hidden");
    ASSERT_TRUE(error) << each.answer;
    EXPECT_EQ(error->kind(), each.kind) << error->what();
    EXPECT_THAT(error->what(), AllOf(HasSubstr(each.told), Not(HasSubstr("sb_secret_hidden"))));
    EXPECT_EQ(server.requests().size(), 1u) << "redirects are not followed";
  }
}

// The server's certificate is of an authority that only SSL_CERT_FILE names.
TEST(SupabaseTls, TheKeyIsSentToATrustedServerOnly) {
  Server().Empty(std::string(kDefaultPrefix));
  TempFolder folder;
  const CertificateAuthority authority(folder.path().string());
  const TlsProxy trusted(authority.Issue("good", "IP:127.0.0.1"), Server().port());
  const TlsProxy expired(authority.Issue("expired", "IP:127.0.0.1", true), Server().port());
  const auto location = [](const TlsProxy& server) {
    return LocationOf("https://127.0.0.1:" + std::to_string(server.port()), SupabaseServer::SecretKey());
  };
  const OwnVariable no_bundle("CURL_CA_BUNDLE", "");
  const OwnVariable file("SSL_CERT_FILE", authority.file());
  const auto error = ErrorOf([&] { supabase::Open(location(expired), OpenMode::kWrite); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr("not trusted"));
  EXPECT_EQ(expired.received(), "");

  const RunRecord record = BuildRecord("over-tls").Part("p", 0, 1).Fail("S.T").Build();
  const auto store = supabase::Open(location(trusted), OpenMode::kWrite);
  EXPECT_EQ(store->Write({&record, 1}).at(0).outcome, WriteResult::Outcome::kInserted);
  EXPECT_EQ(store->Count({}), (Totals{1, 1, 1}));
  EXPECT_THAT(trusted.received(), HasSubstr("apikey: " + SupabaseServer::SecretKey()));
}

TEST(SupabaseAddressTest, IsTheProjectsUrl) {
  const auto address = [](const std::string& url) { return supabase::ParseAddress(ParseLocation("supabase:" + url)); };
  EXPECT_EQ(address("https://abcd.supabase.co").base, "https://abcd.supabase.co");
  EXPECT_EQ(address("https://abcd.supabase.co").reference, "abcd");
  EXPECT_EQ(address("https://abcd.supabase.co/rest/v1/").base, "https://abcd.supabase.co");
  EXPECT_EQ(address("http://kong:8000/x/").base, "http://kong:8000/x");
  EXPECT_EQ(address("http://[::1]:1").reference, "");
  EXPECT_TRUE(address("http://127.0.0.1:54321").loopback);
  const std::pair<const char*, const char*> refused[] = {
      {"abcd.supabase.co", "https://PROJECT.supabase.co"},
      {"https://supabase.com/dashboard/project/abcd", "dashboard"},
      {"https://db.abcd.supabase.co", "https://abcd.supabase.co"},
      {"https://user@abcd.supabase.co", "FLAKY_TESTS_AUTH_TOKEN"},
      {"https://abcd.supabase.co?apikey=sb_secret_x", "unexpected"},
      {"https://abcd.supabase.co:0", "invalid host"},
      {"https://", "invalid host"},
  };
  for (const auto& [url, told] : refused) {
    ForgetKnownSecrets();  // what is not understood is kept out of all later messages
    const auto error = ErrorOf([&] { address(url); });
    ASSERT_TRUE(error) << url;
    EXPECT_EQ(error->kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error->what(), AllOf(HasSubstr(told), Not(HasSubstr("sb_secret_x"))));
  }
}

TEST(SupabaseManagement, RunsTheScriptWithTheToken) {
  const Location project = LocationOf("https://abcd.supabase.co", "sb_secret_x");
  CannedServer server({CannedServer::Answer("201 Created", "[]")});
  EXPECT_TRUE(supabase::MigrateByManagement(project, Secret("sbp_token"), server.url()).pending.empty());
  ASSERT_EQ(server.requests().size(), 1u);
  EXPECT_THAT(server.requests()[0],
              AllOf(HasSubstr("POST /v1/projects/abcd/database/query HTTP/1.1"),
                    HasSubstr("Authorization: Bearer sbp_token\r\n"), HasSubstr(R"({"query":"BEGIN;)"),
                    HasSubstr("rest_flaky_test_schema"), Not(HasSubstr("sb_secret_x"))));
}

TEST(SupabaseManagement, ExplainsWhatItRefuses) {
  struct Case {
    std::string status;
    ErrorKind kind;
    const char* told;
  };
  for (const Case& each : {
           Case{"401 Unauthorized", ErrorKind::kAuth, "FLAKY_TESTS_SUPABASE_TOKEN"},
           Case{"404 Not Found", ErrorKind::kAuth, "'abcd'"},
           Case{"429 Too Many Requests", ErrorKind::kTransient, "429"},
           Case{"400 Bad Request", ErrorKind::kInvalid, "400"},
       }) {
    CannedServer server({CannedServer::Answer(each.status, "")});
    const auto error = ErrorOf([&] {
      supabase::MigrateByManagement(LocationOf("https://abcd.supabase.co", ""), Secret("sbp_token"), server.url());
    });
    ASSERT_TRUE(error) << each.status;
    EXPECT_EQ(error->kind(), each.kind) << error->what();
    EXPECT_THAT(error->what(), AllOf(HasSubstr(each.told), Not(HasSubstr("sbp_token"))));
  }
  const auto own = ErrorOf([] { supabase::MigrateByManagement(LocationOf("http://127.0.0.1:1", ""), Secret("t")); });
  ASSERT_TRUE(own);
  EXPECT_THAT(own->what(), HasSubstr("FLAKY_TESTS_SUPABASE_DB"));
}

// Another process changes a run between our reading and changing it: nothing is lost or duplicated.
TEST(SupabaseWrites, AConcurrentChangeIsKept) {
  Server().Empty(std::string(kDefaultPrefix));
  const Location location = LocationOf(Server().url(), SupabaseServer::SecretKey());
  const auto store = supabase::Open(location, OpenMode::kWrite);
  store->Write(std::vector{BuildRecord("a").Part("p", 0).Build()});
  // Calls rest_change like a process that read an older state.
  Server().Execute(R"(DO $$ BEGIN
    IF rest_flaky_test_change('{"states":[["a","old"]],"runs":[],"old_parts":[["a","p"]]}')::text <> '[]' THEN
      RAISE 'changed';
    END IF;
  END $$)");
  EXPECT_EQ(store->Count({}), (Totals{1, 1, 0}));
}

}  // namespace
}  // namespace flaky
