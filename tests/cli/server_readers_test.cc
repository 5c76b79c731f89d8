// SPDX-License-Identifier: MIT

// Foreign text that reaches the program by a server: messages of functions and triggers, notices, and the names of
// databases, roles, functions, tables and columns. No output may control what reads it.

#include <gmock/gmock.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tests/cli/hostile_texts.h"
#include "tests/cli/program_fixture.h"
#include "tests/servers/postgres_server.h"
#include "tests/servers/sqld_server.h"

namespace flaky {
namespace {

using testing::HasSubstr;

// At the end of each message, which shows that the message arrived.
constexpr char kMark[] = "hwmrk";

// Returns the text between single or double quotes, as SQL has it.
std::string Quoted(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) quoted.append(c == quote ? 2 : 1, c);
  return quoted + quote;
}
std::string Literal(std::string_view text) { return Quoted(text, '\''); }
std::string Name(std::string_view text) { return Quoted(text, '"'); }

// Returns the texts that can be names in PostgreSQL, with something after them. Longer names would be cut.
std::vector<std::string> HostileNames() {
  std::vector<std::string> names;
  for (const std::string& text : kHostile) {
    if (text.size() + sizeof kMark <= 63) names.push_back(text + kMark);
  }
  return names;
}

constexpr char kTrigger[] =
    "CREATE FUNCTION refuse() RETURNS TRIGGER LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER refuse "
    "BEFORE "
    "INSERT ON flaky_test_runs FOR EACH ROW EXECUTE FUNCTION refuse()";

// Lets the trigger fail with one of the texts: as the message, as its detail or as its hint.
std::string Raising(size_t text) {
  constexpr const char* kPlaces[] = {"MESSAGE = ", "MESSAGE = 'x', DETAIL = ", "MESSAGE = 'x', HINT = "};
  const std::string code = "RAISE EXCEPTION USING " + (kPlaces[text % 3] + Literal(kHostile[text] + kMark));
  return "CREATE OR REPLACE FUNCTION refuse() RETURNS TRIGGER LANGUAGE plpgsql AS " +
         Literal("BEGIN " + code + "; END");
}

// The file one.jsonl has a run to write.
class ServerReadersTest : public ProgramTest {
 protected:
  ServerReadersTest() {
    Set("FLAKY_TESTS_DELIVERY_WAIT", kLongWait);
    Keep({BuildRecord("one").Project("demo").Part("p", 0, 1).Fail("S.T").Build()});
    EXPECT_EQ(Run({"export", Path("one.jsonl")}).code, 0);
  }

  void Use(const std::string& store, const std::string& address) {
    Set("FLAKY_TESTS_STORE", store);
    Set("FLAKY_TESTS_CONNECTION_STRING", address);
  }

  // Runs the command, and again for JSON.
  static void Scan(std::vector<std::string> command, const std::string& wanted = "") {
    for (int i = 0; i < 2; ++i) {
      if (i == 1) command.push_back("--json");
      std::string told;
      for (const std::string& argument : command) told += argument + " ";
      const Outcome outcome = Run(command);
      EXPECT_EQ(Found(outcome.out), "") << told << "\n" << outcome.out.substr(0, 3000);
      EXPECT_EQ(Found(outcome.err), "") << told << "\n" << outcome.err.substr(0, 3000);
      EXPECT_NE(outcome.out + outcome.err, "") << told;
      EXPECT_THAT(outcome.out + outcome.err, HasSubstr(wanted)) << told;
    }
  }
};

TEST_F(ServerReadersTest, ErrorsOfPostgresWhileItWrites) {
  const std::string uri = PostgresServer::Shared().CreateDatabase();
  Use("postgres", uri);
  ASSERT_EQ(Run({"schema", "migrate"}).code, 0);
  PostgresServer::Execute(uri, kTrigger);
  for (size_t i = 0; i < kHostile.size(); ++i) {
    PostgresServer::Execute(uri, Raising(i));
    Scan({"import", Path("one.jsonl")}, kMark);
  }
}

TEST_F(ServerReadersTest, ErrorsOfPostgresWhileItReads) {
  const std::string uri = PostgresServer::Shared().CreateDatabase();
  Use("postgres", uri);
  ASSERT_EQ(Run({"import", Path("one.jsonl")}).code, 0);
  const auto refuse_with = [&](const std::string& code) {
    PostgresServer::Execute(uri, "CREATE OR REPLACE FUNCTION refuse() RETURNS BOOLEAN LANGUAGE plpgsql STABLE AS " +
                                     Literal("BEGIN " + code + "; END"));
  };
  refuse_with("RETURN true");
  PostgresServer::Execute(
      uri,
      "ALTER TABLE flaky_test_runs RENAME TO runs_themselves; CREATE VIEW flaky_test_runs AS SELECT "
      "* FROM runs_themselves WHERE refuse()");
  ASSERT_THAT(Run({"runs", "--all"}).out, HasSubstr("one"));
  std::string all;
  for (const std::string& text : kHostile) {
    refuse_with("RAISE EXCEPTION USING MESSAGE = " + Literal(text + kMark));
    Scan({"runs", "--all"}, kMark);
    if (all.size() < 500) all += text + kMark;
  }
  refuse_with("RAISE EXCEPTION USING MESSAGE = " + Literal(all));
  Scan({"show", "one"}, kMark);
  Scan({"check"}, kMark);
  Scan({"trend"}, kMark);
  Scan({"export", Path("x.jsonl")}, kMark);
  Scan({"migrate-store", "--from", uri, "--to", "sqlite:" + Path("copy.db")}, kMark);
  Scan({"verify", "--source", uri, "--target", "sqlite:" + Path("h.db")}, kMark);
}

TEST_F(ServerReadersTest, NoticesOfPostgresAreNotShown) {
  const std::string uri = PostgresServer::Shared().CreateDatabase();
  Use("postgres", uri);
  ASSERT_EQ(Run({"schema", "migrate"}).code, 0);
  std::string raise;
  for (const std::string& text : kHostile) {
    for (const char* level : {"NOTICE", "WARNING", "INFO"}) {
      raise += std::string("RAISE ") + level + " USING MESSAGE = " + Literal(text + kMark) + "; ";
    }
  }
  PostgresServer::Execute(uri, "CREATE FUNCTION tell() RETURNS TRIGGER LANGUAGE plpgsql AS " +
                                   Literal("BEGIN " + raise + "RETURN NEW; END") +
                                   "; CREATE TRIGGER tell BEFORE INSERT ON flaky_test_runs FOR EACH ROW EXECUTE "
                                   "FUNCTION tell()");
  // A library could write to the process's own stderr.
  const std::string command =
      "'" FLAKY_PROGRAM "' import '" + Path("one.jsonl") + "' > '" + Path("out") + "' 2> '" + Path("err") + "'";
  EXPECT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(Found(Content(Path("out"))), "");
  EXPECT_EQ(Content(Path("err")), "");
  EXPECT_THAT(Content(Path("out")), HasSubstr("verified"));
}

TEST_F(ServerReadersTest, NamesOfDatabasesAndRolesThatDoNotExist) {
  const PostgresServer& server = PostgresServer::Shared();
  for (const std::string& name : HostileNames()) {
    Use("postgres", server.Uri(name, "postgres"));
    Scan({"runs"}, "does not exist");
    Use("postgres", server.Uri("postgres", name));
    Scan({"runs"}, "does not exist");
  }
  Scan({"doctor"}, "does not exist");
  Scan({"schema", "status"}, "does not exist");
}

TEST_F(ServerReadersTest, NamesOfColumnsTablesTriggersAndRolesInPostgres) {
  const PostgresServer server;  // its own, because roles belong to a server
  const std::string uri = server.CreateDatabase(), database = uri.substr(uri.rfind('/') + 1);
  Use("postgres", uri);
  ASSERT_EQ(Run({"import", Path("one.jsonl")}).code, 0);
  for (const std::string& name : HostileNames()) {
    PostgresServer::Execute(uri, "ALTER TABLE flaky_test_runs ADD COLUMN " + Name(name) + " TEXT; CREATE TABLE " +
                                     Name("flaky_test_" + name.substr(0, 40) + kMark) + " (x INT)");
  }
  Scan({"migrate-store", "--from", uri, "--to", "sqlite:" + Path("copy.db")}, kMark);
  for (const std::string& name : HostileNames()) {
    // A role that may read nothing, and that owns a table.
    PostgresServer::Execute(uri, "CREATE ROLE " + Name(name) + " LOGIN");
    Use("postgres", server.Uri(database, name));
    Scan({"runs"});
    Use("postgres", uri);
    PostgresServer::Execute(uri, "ALTER TABLE flaky_test_parts OWNER TO " + Name(name));
    Scan({"import", Path("one.jsonl")}, kMark);
  }
  Scan({"doctor"}, kMark);
  PostgresServer::Execute(uri, "ALTER TABLE flaky_test_parts OWNER TO postgres");
  for (const std::string& name : HostileNames()) {
    PostgresServer::Execute(uri, "CREATE FUNCTION " + Name(name) +
                                     "() RETURNS TRIGGER LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; ALTER FUNCTION " +
                                     Name(name) + "() OWNER TO " + Name(name) + "; CREATE TRIGGER " + Name(name) +
                                     " BEFORE INSERT ON flaky_test_runs FOR EACH ROW EXECUTE FUNCTION " + Name(name) +
                                     "()");
  }
  Scan({"import", Path("one.jsonl")}, kMark);
  Scan({"doctor"}, kMark);
}

TEST_F(ServerReadersTest, ErrorsAndNamesOfSqld) {
  const SqldServer server;
  Use("turso", server.url());
  ASSERT_EQ(Run({"schema", "migrate"}).code, 0);
  for (const std::string& text : kHostile) {
    server.Execute("DROP TRIGGER IF EXISTS refuse");
    // The server's message names the path that it does not understand.
    server.Execute("CREATE TRIGGER refuse BEFORE INSERT ON flaky_test_runs BEGIN SELECT json_extract('{}', " +
                   Literal(text + kMark) + "); END");
    Scan({"import", Path("one.jsonl")}, kMark);
    server.Execute("CREATE TABLE " + Name("flaky_test_" + text + kMark) + " (x INT)");
  }
  Scan({"migrate-store", "--from", server.url(), "--to", "sqlite:" + Path("copy.db")}, kMark);
}

}  // namespace
}  // namespace flaky
