// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <functional>
#include <optional>

#include "stores/http/answer.h"
#include "stores/http/client.h"
#include "stores/http/one_line.h"
#include "tests/servers/server_process.h"
#include "tests/stores/canned_server.h"
#include "tests/support/temp_folder.h"

namespace flaky {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kToken[] = "the-very-secret-token";

std::optional<StoreError> ErrorOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const StoreError& error) {
    EXPECT_THAT(error.what(), Not(HasSubstr(kToken)));
    return error;
  }
  ADD_FAILURE() << "no error";
  return std::nullopt;
}

http::Request Request(const std::string& url, std::string_view body = "{}") {
  http::Request request;
  request.url = url;
  request.headers = {std::string("Authorization: Bearer ") + kToken};
  request.body = body;
  return request;
}

http::Options Hasty() {
  http::Options options;
  options.connect_timeout = milliseconds(1000);
  options.idle_timeout = seconds(1);
  options.total_timeout = seconds(20);
  return options;
}

TEST(HttpClient, SendsRequestsOverOneConnectionAndReturnsTheAnswers) {
  CannedServer server({CannedServer::Answer("200 OK", "first"), CannedServer::Answer("418 No", "second")});
  http::Client client("store", http::Options());
  const http::Response first = client.Send(Request(server.url() + "/a/path", "the body"), "test");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.body, "first");
  EXPECT_FALSE(first.retry_after);
  http::Request get = Request(server.url() + "/other");
  get.method = "GET";
  const http::Response second = client.Send(get, "test");
  EXPECT_EQ(second.status, 418);
  EXPECT_EQ(second.body, "second");
  EXPECT_EQ(server.connections(), 1);
  ASSERT_EQ(server.requests().size(), 2u);
  EXPECT_THAT(server.requests()[0], AllOf(StartsWith("POST /a/path HTTP/1.1\r\n"), HasSubstr("\r\n\r\nthe body"),
                                          HasSubstr(std::string("Authorization: Bearer ") + kToken + "\r\n"),
                                          HasSubstr("Accept-Encoding: gzip\r\n"), HasSubstr("User-Agent: flaky/"),
                                          Not(HasSubstr("Expect")), Not(HasSubstr("Upgrade"))));
  EXPECT_THAT(server.requests()[1], StartsWith("GET /other HTTP/1.1\r\n"));
}

TEST(HttpClient, ReconnectsAfterTheServerClosed) {
  CannedServer server({"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nonce"});
  http::Client client("store", http::Options());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.Send(Request(server.url()), "test").body, "once");
  EXPECT_EQ(server.connections(), 3);
}

TEST(HttpClient, FollowsNoRedirectWithItsToken) {
  CannedServer elsewhere({CannedServer::Answer("200 OK", "stolen")});
  for (const char* status : {"301 Moved", "302 Found", "307 Temporary", "308 Permanent"}) {
    CannedServer server({CannedServer::Answer(status, "", "Location: " + elsewhere.url() + "/x?" + kToken + "\r\n")});
    http::Client client("store", http::Options());
    const http::Response response = client.Send(Request(server.url()), "read runs");
    const StoreError error = http::ErrorOf("store", "read runs", response);
    EXPECT_EQ(error.kind(), ErrorKind::kPermanent);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("redirects to another address"), Not(HasSubstr(kToken))));
  }
  EXPECT_EQ(elsewhere.connections(), 0);
}

TEST(HttpClient, GivesUpAServerThatNeverAnswers) {
  CannedServer server({""});
  http::Client client("http://the.store", Hasty());
  const auto begin = std::chrono::steady_clock::now();
  const auto error = ErrorOf([&] { client.Send(Request(server.url()), "read runs"); });
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(8));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kTransient);
  EXPECT_THAT(error->what(), AllOf(StartsWith("http://the.store: cannot read runs: "), HasSubstr("libcurl code 28")));
}

TEST(HttpClient, GivesUpAServerThatStopsWithinItsAnswer) {
  // It announces more than it sends, and keeps the connection open.
  CannedServer server({"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it"});
  http::Client client("store", Hasty());
  const auto error = ErrorOf([&] { client.Send(Request(server.url()), "test"); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kTransient);
}

TEST(HttpClient, AnswersThatAreCutOrNotHttpAreTransient) {
  for (const char* answer : {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nshort", "garbage\r\n\r\n",
                             "SSH-2.0-OpenSSH_9.2\r\n", "\r\n"}) {
    CannedServer server({answer});
    http::Client client("store", Hasty());
    const auto error = ErrorOf([&] { client.Send(Request(server.url()), "test"); });
    ASSERT_TRUE(error) << answer;
    EXPECT_EQ(error->kind(), ErrorKind::kTransient) << error->what();
  }
  const int unused_port = FreePort();
  http::Client client("store", Hasty());
  const auto error = ErrorOf([&] { client.Send(Request("http://127.0.0.1:" + std::to_string(unused_port)), "test"); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kTransient);
}

TEST(HttpClient, CanBeUsedAgainAfterAnError) {
  CannedServer server({"no HTTP\r\n\r\n", CannedServer::Answer("200 OK", "fine")});
  http::Client client("store", Hasty());
  ErrorOf([&] { client.Send(Request(server.url()), "test"); });
  EXPECT_EQ(client.Send(Request(server.url()), "test").body, "fine");
}

TEST(HttpClient, RefusesAnswersAboveTheLimit) {
  CannedServer server({CannedServer::Answer("200 OK", std::string(1000, 'x'))});
  http::Client client("store", http::Options());
  http::Request request = Request(server.url());
  request.max_response_bytes = 1000;
  EXPECT_EQ(client.Send(request, "test").body.size(), 1000u);
  request.max_response_bytes = 999;
  const auto error = ErrorOf([&] { client.Send(request, "test"); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kPermanent);
  EXPECT_THAT(error->what(), HasSubstr("longer than 999 bytes"));
}

TEST(HttpClient, SpeaksNothingButHttp) {
  TempFolder folder;
  std::ofstream(folder.File("secret")) << "secret";
  for (const std::string& url : {"file://" + folder.File("secret"), std::string("ftp://127.0.0.1/x"),
                                 std::string("gopher://127.0.0.1/"), std::string("http://"), std::string()}) {
    http::Client client("store", Hasty());
    const auto error = ErrorOf([&] { client.Send(Request(url), "test"); });
    ASSERT_TRUE(error) << url;
    EXPECT_EQ(error->kind(), ErrorKind::kInvalid) << error->what();
  }
}

TEST(HttpAnswer, ReportsHowLongToWait) {
  char in_an_hour[64];
  const std::time_t then = std::time(nullptr) + 3600;
  std::strftime(in_an_hour, sizeof in_an_hour, "%a, %d %b %Y %H:%M:%S GMT", std::gmtime(&then));
  const auto wait_of = [](const std::string& status, const std::string& headers) {
    CannedServer server({CannedServer::Answer(status, R"({"error":"slow down"})", headers)});
    http::Client client("store", http::Options());
    const StoreError error = http::ErrorOf("store", "write runs", client.Send(Request(server.url()), "write runs"));
    EXPECT_EQ(error.kind(), ErrorKind::kTransient);
    EXPECT_THAT(error.what(), HasSubstr("slow down"));
    return error.retry_after();
  };
  EXPECT_EQ(wait_of("429 Too Many Requests", "Retry-After: 7\r\n"), milliseconds(7000));
  EXPECT_EQ(wait_of("503 Service Unavailable", "Retry-After: 120\r\n"), milliseconds(120'000));
  EXPECT_EQ(wait_of("429 Too Many Requests", ""), std::nullopt);
  EXPECT_EQ(wait_of("429 Too Many Requests", "Retry-After: soon\r\n"), std::nullopt);
  const auto by_date = wait_of("503 Service Unavailable", std::string("Retry-After: ") + in_an_hour + "\r\n");
  ASSERT_TRUE(by_date);
  EXPECT_GT(*by_date, seconds(3500));
  EXPECT_LE(*by_date, seconds(3600));
}

TEST(HttpAnswer, EveryStatusHasItsKind) {
  const auto kind_of = [](long status) {
    return http::ErrorOf("s", "o", http::Response{status, "why", {}, {}}).kind();
  };
  for (const long status : {401L, 403L}) EXPECT_EQ(kind_of(status), ErrorKind::kAuth) << status;
  for (const long status : {404L, 410L}) EXPECT_EQ(kind_of(status), ErrorKind::kMissing) << status;
  for (const long status : {408L, 425L, 429L, 500L, 502L, 503L, 504L, 520L}) {
    EXPECT_EQ(kind_of(status), ErrorKind::kTransient) << status;
  }
  for (const long status : {400L, 405L, 413L, 422L}) EXPECT_EQ(kind_of(status), ErrorKind::kInvalid) << status;
  for (const long status : {204L, 301L, 402L, 501L, 505L}) {
    EXPECT_EQ(kind_of(status), ErrorKind::kPermanent) << status;
  }
}

TEST(HttpAnswer, FindsTheMessageInEveryForm) {
  EXPECT_EQ(http::MessageOf(R"({"message":"no","code":"C"})").message, "no");
  EXPECT_EQ(http::MessageOf(R"({"message":"no","code":"C"})").code, "C");
  EXPECT_EQ(http::MessageOf(R"({"error":"gone."})").message, "gone");
  EXPECT_EQ(http::MessageOf(R"({"error":{"message":"deep","code":"D"}})").message, "deep");
  EXPECT_EQ(http::MessageOf(R"({"error":{"message":"deep","code":"D"}})").code, "D");
  EXPECT_EQ(http::MessageOf("plain text\n").message, "plain text");
  EXPECT_EQ(http::MessageOf("").message, "");
  EXPECT_EQ(http::MessageOf("[1,2]").message, "[1,2]");
  EXPECT_EQ(http::MessageOf("{\"message\":\"a\\u0000b\\u001b[31m\\r\\nc\"}").message,
            "a\xEF\xBF\xBD"
            "b [31m c");
  EXPECT_EQ(http::FitForOneLine("\xff\xfe"), "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_LT(http::FitForOneLine(std::string(5000, 'x')).size(), 400u);
  EXPECT_LT(http::FitForOneLine(std::string(5000, '\x01')).size(), 400u);
}

}  // namespace
}  // namespace flaky
