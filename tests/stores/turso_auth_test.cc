// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include "tests/servers/certificates.h"
#include "tests/servers/server_process.h"
#include "tests/servers/tls_proxy.h"
#include "tests/stores/canned_server.h"
#include "tests/stores/own_variable.h"
#include "tests/stores/turso_support.h"
#include "tests/support/record_builder.h"
#include "tests/support/temp_folder.h"

// Tokens: what each allows, and the errors for everything else.
namespace flaky {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class TursoAuth : public testing::Test {
 protected:
  struct ServerWithAuth : SqldServer {
    ServerWithAuth() : SqldServer({.auth = true, .flags = {}}) {}
  };
  static SqldServer& Server() {
    static ProcessWide<ServerWithAuth> server;
    return server.get();
  }
  void SetUp() override { Server().Reset(); }

  // Returns the error of opening with the token, without any part of the token.
  static StoreError Refusal(const std::string& token, OpenMode mode) {
    const auto error = ErrorOf([&] { turso::Open(LocationOf(Server().url(), token), mode); });
    if (!error) return {ErrorKind::kPermanent, "", "", "", ""};
    EXPECT_EQ(error->kind(), ErrorKind::kAuth) << error->what();
    if (!token.empty()) {
      EXPECT_THAT(error->what(), Not(HasSubstr(token)));
      EXPECT_THAT(error->what(), Not(HasSubstr(token.substr(0, 16))));
    }
    return *error;
  }
};

TEST_F(TursoAuth, AMissingTokenIsMissing) {
  EXPECT_THAT(Refusal("", OpenMode::kWrite).what(),
              AllOf(HasSubstr("requires a token and none is set"), HasSubstr("FLAKY_TESTS_AUTH_TOKEN")));
  EXPECT_THAT(Refusal("", OpenMode::kRead).what(), HasSubstr("none is set"));
}

TEST_F(TursoAuth, AWrongTokenIsNotAccepted) {
  for (const std::string& token :
       {Server().tokens().foreign, Server().tokens().garbage, Server().tokens().read_write + "x"}) {
    EXPECT_THAT(Refusal(token, OpenMode::kWrite).what(), HasSubstr("does not accept the token"));
  }
}

TEST_F(TursoAuth, AnExpiredTokenHasExpired) {
  EXPECT_THAT(Refusal(Server().tokens().expired, OpenMode::kWrite).what(), HasSubstr("the token has expired"));
  EXPECT_THAT(Refusal(Server().tokens().expired, OpenMode::kRead).what(), HasSubstr("the token has expired"));
}

TEST_F(TursoAuth, AReadOnlyTokenReadsAndCannotWrite) {
  EXPECT_THAT(Refusal(Server().tokens().read_only, OpenMode::kWrite).what(), HasSubstr("for reading only"));
  const RunRecord record = BuildRecord("run").Part("p", 0, 1).Fail("S.T").Build();
  OpenAt(Server(), OpenMode::kWrite)->Write({&record, 1});

  const Location location = LocationOf(Server().url(), Server().tokens().read_only);
  EXPECT_EQ(SumOf(ReadAll(*turso::Open(location, OpenMode::kRead))), DigestOf(record));
  const auto store = turso::Open(location, OpenMode::kWrite);
  EXPECT_EQ(store->Count({}), (Totals{1, 1, 1})) << "an up-to-date schema is not written to";
  const RunRecord other = BuildRecord("other").Build();
  const auto error = ErrorOf([&] { store->Write({&other, 1}); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kAuth);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("cannot write runs"), HasSubstr("for reading only")));
  EXPECT_EQ(store->Count({}).runs, 1);
}

TEST_F(TursoAuth, ATokenInTheUrlIsUsedAndNotShown) {
  const std::string token = Server().tokens().read_write;
  Location location = ParseLocation(Server().url() + "?authToken=" + token);
  location.token = Secret("not this one");
  const auto store = turso::Open(location, OpenMode::kWrite);
  EXPECT_THAT(store->name(), Not(HasSubstr(token)));
  EXPECT_THAT(store->name(), HasSubstr(Server().url()));

  const std::string expired = Server().tokens().expired;
  const auto error =
      ErrorOf([&] { turso::Open(ParseLocation(Server().url() + "?authToken=" + expired), OpenMode::kRead); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("expired"), Not(HasSubstr(expired.substr(0, 16)))));
}

TEST_F(TursoAuth, ReadingWhatIsNotThereCreatesNothing) {
  const auto error = ErrorOf([&] { OpenAt(Server(), OpenMode::kRead); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kMissing);
  EXPECT_THAT(error->what(), HasSubstr("no table 'flaky_test_runs'"));
  EXPECT_THAT(Query(Server(), "SELECT count(*) FROM sqlite_master WHERE name LIKE 'flaky%'"),
              testing::ElementsAre("0"));
}

// The server's certificate is of an authority that only SSL_CERT_DIR names.
TEST_F(TursoAuth, ATokenIsSentToATrustedServerOnly) {
  TempFolder folder;
  const CertificateAuthority authority(folder.path().string());
  const TlsProxy trusted(authority.Issue("good", "IP:127.0.0.1"), Server().port());
  const TlsProxy other_host(authority.Issue("other", "DNS:other.example"), Server().port());
  const auto location = [](const TlsProxy& server) {
    return LocationOf("https://127.0.0.1:" + std::to_string(server.port()), Server().tokens().read_write);
  };
  const OwnVariable no_bundle("CURL_CA_BUNDLE", "");
  {
    const auto error = ErrorOf([&] { turso::Open(location(trusted), OpenMode::kWrite); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::kInvalid);
  }
  const OwnVariable authorities("SSL_CERT_DIR", authority.hashed_folder());
  const auto error = ErrorOf([&] { turso::Open(location(other_host), OpenMode::kWrite); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr("not trusted"));
  EXPECT_EQ(other_host.received(), "");
  EXPECT_EQ(trusted.received(), "");

  const RunRecord record = BuildRecord("over-tls").Part("p", 0, 1).Fail("S.T").Build();
  const auto store = turso::Open(location(trusted), OpenMode::kWrite);
  store->Write({&record, 1});
  EXPECT_EQ(SumOf(ReadAll(*store)), DigestOf(record));
  EXPECT_THAT(trusted.received(), HasSubstr("Authorization: Bearer " + Server().tokens().read_write));
}

// Answers that only the cloud gives, or a server that is not a libSQL server.
TEST(TursoAnswers, ThatNoLocalServerGives) {
  const auto ok = [](const std::string& body) { return CannedServer::Answer("200 OK", body); };
  const std::string blocked =
      R"json({"results":[{"type":"error","error":{"message":"SQL read operations are forbidden (reads are blocked, )json"
      R"json(do you need to upgrade your plan?)","code":"BLOCKED"}}]})json";
  struct Case {
    std::string answer;
    ErrorKind kind;
    const char* told;
  };
  for (const Case& each : {
           Case{ok(blocked), ErrorKind::kPermanent, "quota"},
           Case{ok("hello"), ErrorKind::kTransient, "that of a libSQL server"},
           Case{ok("{}"), ErrorKind::kTransient, "that of a libSQL server"},
           Case{ok(R"({"results":[{"type":"ok","response":{"type":"execute","result":{"cols":[{}],"rows":[[]]}}}]})"),
                ErrorKind::kTransient, "that of a libSQL server"},
           Case{CannedServer::Answer("404 Not Found", R"({"error":"Namespace `x` doesn't exist"})"),
                ErrorKind::kMissing, "Namespace `x`"},
           Case{CannedServer::Answer("400 Bad Request", R"({"message":"gone","code":"STREAM_EXPIRED"})"),
                ErrorKind::kTransient, "gone"},
           Case{CannedServer::Answer("500 Oh", R"({"error":"no connection"})"), ErrorKind::kTransient, "no connection"},
       }) {
    CannedServer server({each.answer});
    const auto error = ErrorOf([&] { turso::Open(LocationOf(server.url(), "secret-token"), OpenMode::kWrite); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), each.kind) << error->what();
    EXPECT_THAT(error->what(), AllOf(HasSubstr(each.told), Not(HasSubstr("secret-token"))));
  }
}

TEST(TursoAnswers, OfAServerThatSpeaksNoTls) {
  const std::string url = "https://127.0.0.1:" + std::to_string(SqldServer::Shared().port());
  const auto error = ErrorOf([&] { turso::Open(LocationOf(url, "secret-token"), OpenMode::kWrite); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kTransient);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("does the server speak TLS there?"), Not(HasSubstr("secret-token"))));
}

}  // namespace
}  // namespace flaky
