#include "tests/servers/fault_proxy.h"

#include <gmock/gmock.h>
#include <libpq-fe.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <thread>

#include "tests/servers/http_request.h"
#include "tests/servers/postgres_server.h"
#include "tests/servers/request_framing.h"
#include "tests/servers/sqld_server.h"
#include "tests/support/wait_for.h"

namespace flaky {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using testing::Pair;
using Clock = std::chrono::steady_clock;

// Whether a request that met the fault took effect on the server, and what an HTTP client saw (0: no answer).
struct Meaning {
  bool effect;
  int status;
};
const std::map<ProxyFault, Meaning> kMeanings = {
    {ProxyFault::kCutBefore, {false, 0}}, {ProxyFault::kCutWithin, {false, 0}},
    {ProxyFault::kCutAfter, {true, 0}},   {ProxyFault::kCutWithinAnswer, {true, 0}},
    {ProxyFault::kGarbage, {true, 0}},    {ProxyFault::kHang, {true, 0}},
    {ProxyFault::kDelay, {true, 200}},    {ProxyFault::kHttp429, {false, 429}},
    {ProxyFault::kHttp500, {false, 500}}, {ProxyFault::kHttp502, {false, 502}},
    {ProxyFault::kHttp503, {false, 503}},
};

// Waits for the count, because the server may still be executing an abandoned request.
void ExpectSettled(const std::function<std::string()>& count, const std::string& expected) {
  WaitFor("a count of " + expected + " rows", [&] { return count() == expected; });
}

class HttpProxy : public testing::Test {
 protected:
  HttpProxy() : server_(SqldServer::Shared()), proxy_(FaultProxy::Protocol::kHttp, server_.port()) {
    server_.Reset();
    server_.Execute("CREATE TABLE t(x)");
  }

  HttpAnswer Insert(int value, milliseconds limit = milliseconds(60'000)) {
    const std::string sql = "INSERT INTO t VALUES (" + std::to_string(value) + ")";
    const std::string body = R"({"requests":[{"type":"execute","stmt":{"sql":")" + sql + R"("}},{"type":"close"}]})";
    return HttpPost("http://127.0.0.1:" + std::to_string(proxy_.port()) + "/v3/pipeline", body, {}, limit);
  }
  std::string Count(int value) {
    return *server_.Query("SELECT count(*) FROM t WHERE x = " + std::to_string(value))[0][0];
  }

  SqldServer& server_;
  FaultProxy proxy_;
};

TEST_F(HttpProxy, ForwardsRequestsWithoutAnOrder) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Insert(i).status, 200);
  EXPECT_EQ(*server_.Query("SELECT count(*) FROM t")[0][0], "5");
  EXPECT_EQ(proxy_.requests(), 5);
  EXPECT_EQ(proxy_.faults(), 0);
}

TEST_F(HttpProxy, EveryFaultDoesWhatItsNameSays) {
  int value = 0;
  for (const auto& [fault, meaning] : kMeanings) {
    // Once with an orderly end, once with a reset.
    for (int round = 0; round < 2; ++round, ++value) {
      SCOPED_TRACE(NameOf(fault));
      proxy_.FaultAt(1, fault);
      // The client gives up on a hang after 2 s, which must be enough to send the request on a busy machine.
      const HttpAnswer answer = Insert(value, milliseconds(fault == ProxyFault::kHang ? 2'000 : 60'000));
      EXPECT_EQ(answer.status, meaning.status) << answer.body;
      ExpectSettled([&] { return Count(value); }, meaning.effect ? "1" : "0");
      EXPECT_EQ(Insert(value).status, 200) << "the next request succeeds";
    }
  }
  EXPECT_EQ(proxy_.faults(), value);
  EXPECT_EQ(proxy_.requests(), 2 * value);
}

TEST_F(HttpProxy, HitsTheRequestsThatWereOrdered) {
  proxy_.FaultAt(2, ProxyFault::kHttp503);
  proxy_.FaultAt(4, ProxyFault::kHttp500);
  proxy_.FaultOn("VALUES (5)", ProxyFault::kHttp502);
  std::vector<int> seen;
  for (const int value : {1, 2, 3, 4, 6, 5, 5}) seen.push_back(Insert(value).status);
  EXPECT_THAT(seen, ElementsAre(200, 503, 200, 500, 200, 502, 200));
  proxy_.FaultAt(1, ProxyFault::kHttp503);
  proxy_.ClearFaults();
  EXPECT_EQ(Insert(1).status, 200);
}

TEST_F(HttpProxy, SendsRetryAfterAndDelaysAsLongAsAsked) {
  proxy_.SetRetryAfter(std::chrono::seconds(7));
  proxy_.FaultAt(1, ProxyFault::kHttp429);
  EXPECT_THAT(Insert(1).headers, Contains(Pair("retry-after", "7")));
  proxy_.SetDelay(milliseconds(200));
  proxy_.FaultAt(1, ProxyFault::kDelay);
  const Clock::time_point begin = Clock::now();
  EXPECT_EQ(Insert(1).status, 200);
  EXPECT_GE(Clock::now() - begin, milliseconds(200));
}

TEST_F(HttpProxy, RandomFaultsComeAsOftenAsAskedAndTheSameForASeed) {
  const auto statuses = [&](uint64_t seed) {
    proxy_.FaultRandomly(seed, 0.3, {ProxyFault::kHttp503, ProxyFault::kHttp429});
    std::vector<int> seen;
    for (int i = 0; i < 200; ++i) seen.push_back(Insert(i).status);
    return seen;
  };
  const std::vector<int> seen = statuses(1);
  EXPECT_EQ(statuses(1), seen);
  EXPECT_NE(statuses(2), seen);
  EXPECT_THAT(std::count(seen.begin(), seen.end(), 200), AllOf(Ge(110), Le(170)));
  EXPECT_THAT(seen, AllOf(Contains(503), Contains(429)));
}

TEST_F(HttpProxy, EndsWithAClientThatHangs) {
  auto proxy = std::make_unique<FaultProxy>(FaultProxy::Protocol::kHttp, server_.port());
  proxy->FaultAt(1, ProxyFault::kHang);
  const std::string url = "http://127.0.0.1:" + std::to_string(proxy->port()) + "/v3/pipeline";
  HttpAnswer answer;
  std::jthread client([&] { answer = HttpPost(url, "{}", {}, std::chrono::minutes(4)); });
  WaitFor("the proxy's fault", [&] { return proxy->faults() != 0; });
  const Clock::time_point begin = Clock::now();
  proxy.reset();
  client.join();
  EXPECT_LT(Clock::now() - begin, std::chrono::minutes(1)) << "the client itself would wait for 4 minutes";
  EXPECT_EQ(answer.status, 0);
}

TEST_F(HttpProxy, WithoutAServerThereIsNoAnswer) {
  FaultProxy proxy(FaultProxy::Protocol::kHttp, FreePort());
  const HttpAnswer answer = HttpPost("http://127.0.0.1:" + std::to_string(proxy.port()) + "/", "{}");
  EXPECT_EQ(answer.status, 0);
}

class PostgresProxy : public testing::Test {
 protected:
  PostgresProxy()
      : uri_(PostgresServer::Shared().CreateDatabase()),
        proxy_(FaultProxy::Protocol::kPostgres, PostgresServer::Shared().port()) {
    PostgresServer::Execute(uri_, "CREATE TABLE t(x int)");
  }
  ~PostgresProxy() override { PostgresServer::Shared().DropDatabase(uri_); }

  std::string ProxyUri(const std::string& user = "postgres", const std::optional<std::string>& password = {}) const {
    return PostgresUri(proxy_.port(), uri_.substr(uri_.rfind('/') + 1), user, password) + "?sslmode=disable";
  }
  std::string Count(int value) const {
    return *PostgresServer::Query(uri_, "SELECT count(*) FROM t WHERE x = $1", {std::to_string(value)})[0][0];
  }

  std::string uri_;
  FaultProxy proxy_;
};

class Session {
 public:
  explicit Session(const std::string& uri) : connection_(PQconnectdb(uri.c_str())) {}
  ~Session() { PQfinish(connection_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  bool connected() const { return PQstatus(connection_) == CONNECTION_OK; }
  bool Run(const std::string& sql) { return Is(PQexec(connection_, sql.c_str()), PGRES_COMMAND_OK); }
  bool CopyIn(const std::string& sql, const std::string& data) {
    return Is(PQexec(connection_, sql.c_str()), PGRES_COPY_IN) &&
           PQputCopyData(connection_, data.data(), static_cast<int>(data.size())) == 1 &&
           PQputCopyEnd(connection_, nullptr) == 1 && Is(PQgetResult(connection_), PGRES_COMMAND_OK) &&
           PQgetResult(connection_) == nullptr;
  }
  bool Prepared(const std::string& sql, const char* value) {
    return Is(PQexecParams(connection_, sql.c_str(), 1, nullptr, &value, nullptr, nullptr, 0), PGRES_COMMAND_OK);
  }

 private:
  static bool Is(PGresult* result, ExecStatusType status) {
    const bool is = PQresultStatus(result) == status;
    PQclear(result);
    return is;
  }
  PGconn* connection_;
};

TEST_F(PostgresProxy, CountsOneRequestForEachAnswer) {
  {
    Session session(ProxyUri());
    EXPECT_TRUE(session.connected());
    EXPECT_EQ(proxy_.requests(), 1) << "the start-up";
    EXPECT_TRUE(session.Run("INSERT INTO t VALUES (1)"));
    EXPECT_EQ(proxy_.requests(), 2);
    EXPECT_TRUE(session.Prepared("INSERT INTO t VALUES ($1)", "2"));
    EXPECT_EQ(proxy_.requests(), 3);
    std::string rows;
    for (int i = 0; i < 100'000; ++i) rows += "3\n";
    EXPECT_TRUE(session.CopyIn("COPY t FROM STDIN", rows));
    EXPECT_EQ(proxy_.requests(), 5) << "the statement and its rows";
  }
  EXPECT_EQ(Count(3), "100000");
  PostgresServer::Execute(
      uri_, "DROP ROLE IF EXISTS proxied; CREATE ROLE proxied LOGIN PASSWORD 'secret' IN ROLE with_password");
  EXPECT_TRUE(Session(ProxyUri("proxied", "secret")).connected());
  EXPECT_EQ(proxy_.requests(), 8) << "the start-up and two messages of SCRAM";
}

TEST_F(PostgresProxy, EveryFaultHitsExactlyTheCommit) {
  int value = 0;
  for (const ProxyFault fault : PassingFaults(false)) {
    for (int round = 0; round < 2; ++round, ++value) {
      SCOPED_TRACE(NameOf(fault));
      Session session(ProxyUri());
      proxy_.FaultAt(3, fault);
      EXPECT_TRUE(session.Run("BEGIN"));
      EXPECT_TRUE(session.Run("INSERT INTO t VALUES (" + std::to_string(value) + ")"));
      EXPECT_EQ(session.Run("COMMIT"), fault == ProxyFault::kDelay);
      ExpectSettled([&] { return Count(value); }, kMeanings.at(fault).effect ? "1" : "0");
    }
  }
  EXPECT_EQ(proxy_.faults(), value);
}

TEST_F(PostgresProxy, FaultsHitTheRowsOfACopyAndTheStartUp) {
  for (const ProxyFault fault : {ProxyFault::kCutBefore, ProxyFault::kCutWithin, ProxyFault::kCutAfter}) {
    SCOPED_TRACE(NameOf(fault));
    Session session(ProxyUri());
    const int value = static_cast<int>(fault) + 10;
    proxy_.FaultAt(2, fault);
    EXPECT_FALSE(session.CopyIn("COPY t FROM STDIN", std::to_string(value) + "\n"));
    ExpectSettled([&] { return Count(value); }, kMeanings.at(fault).effect ? "1" : "0");
    proxy_.FaultAt(1, fault);
    EXPECT_FALSE(Session(ProxyUri()).connected());
  }
  EXPECT_TRUE(Session(ProxyUri()).connected());
}

TEST_F(PostgresProxy, ASilentServerIsSilentUntilTheClientGivesUp) {
  proxy_.FaultAt(1, ProxyFault::kHang);
  const Clock::time_point begin = Clock::now();
  EXPECT_FALSE(Session(ProxyUri() + "&connect_timeout=2").connected());
  EXPECT_GE(Clock::now() - begin, milliseconds(1'900));
  proxy_.ClearFaults();  // in case the machine stalled, and the first client gave up before it sent anything
  EXPECT_TRUE(Session(ProxyUri()).connected());
}

TEST(RequestFraming, FindsRequestsHoweverTheBytesArrive) {
  const std::string one = "POST / HTTP/1.1\r\nHost: x\r\ncontent-LENGTH:  5\r\n\r\nhello";
  const std::string two = "GET / HTTP/1.1\r\n\r\n";
  const auto framing = HttpFraming();
  for (size_t size = 0; size < one.size(); ++size) EXPECT_EQ(framing->Next(one.substr(0, size)).size, 0u) << size;
  EXPECT_EQ(framing->Next(one + two).size, one.size());
  EXPECT_EQ(framing->Next(two).size, two.size());
  EXPECT_THROW(framing->Next("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), std::runtime_error);
  EXPECT_THROW(framing->Next("POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"), std::runtime_error);

  const auto packet = [](const std::string& type, const std::string& body) {
    const auto size = static_cast<unsigned char>(body.size() + 4);
    return type + std::string(3, '\0') + static_cast<char>(size) + body;
  };
  const auto postgres = PostgresFraming();
  const std::string tls = packet("", std::string("\x04\xd2\x16\x2f", 4));
  const std::string start = packet("", std::string("\0\3\0\0user\0x\0\0", 13));
  EXPECT_EQ(postgres->Next(tls).size, tls.size());
  EXPECT_EQ(postgres->Next(start.substr(0, 9)).size, 0u);
  EXPECT_EQ(postgres->Next(start).size, start.size());
  const std::string extended = packet("P", "parse") + packet("B", "bind") + packet("E", "") + packet("S", "");
  for (size_t size = 0; size < extended.size(); ++size) {
    EXPECT_EQ(postgres->Next(extended.substr(0, size)).size, 0u) << size;
  }
  EXPECT_EQ(postgres->Next(extended + packet("Q", "next")).size, extended.size());
  EXPECT_FALSE(postgres->Next(packet("X", "")).asks);
  EXPECT_THROW(postgres->Next(std::string("Q\0\0\0\1", 5)), std::runtime_error);
}

}  // namespace
}  // namespace flaky
