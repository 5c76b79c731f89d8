// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <filesystem>
#include <map>
#include <optional>

#include "stores/http/authorities.h"
#include "stores/http/client.h"
#include "tests/servers/certificates.h"
#include "tests/servers/tls_proxy.h"
#include "tests/stores/canned_server.h"
#include "tests/stores/own_variable.h"
#include "tests/support/temp_folder.h"

// Certificates: which are trusted, and what a server with another one gets.
namespace flaky {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kToken[] = "the-very-secret-token";
constexpr char kNames[] = "DNS:localhost,IP:127.0.0.1";

class HttpTls : public testing::Test {
 protected:
  // Sends a request with a token. Returns the error, or nullopt if it was answered.
  static std::optional<StoreError> Try(const TlsProxy& server, const std::string& host = "127.0.0.1") {
    http::Options options;
    options.connect_timeout = std::chrono::seconds(20);
    http::Request request;
    request.url = "https://" + host + ":" + std::to_string(server.port()) + "/x";
    request.headers = {std::string("Authorization: Bearer ") + kToken};
    request.body = "{}";
    try {
      http::Client client("store", options);
      EXPECT_EQ(client.Send(request, "read runs").body, "answer");
      return std::nullopt;
    } catch (const StoreError& error) {
      EXPECT_THAT(error.what(), Not(HasSubstr(kToken)));
      return error;
    }
  }
  static void ExpectTrusted(const TlsProxy& server) {
    const auto error = Try(server);
    EXPECT_FALSE(error) << error->what();
    EXPECT_THAT(server.received(), HasSubstr(std::string("Authorization: Bearer ") + kToken));
  }
  static void ExpectRefused(const TlsProxy& server, const std::string& host = "127.0.0.1") {
    const auto error = Try(server, host);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::kInvalid) << error->what();
    EXPECT_THAT(error->what(), AllOf(HasSubstr("certificate"), HasSubstr("SSL_CERT_FILE")));
    EXPECT_THAT(server.received(), IsEmpty()) << "the server got something of the request";
  }

  // What the environment of the tests may have.
  const OwnVariable no_bundle_{"CURL_CA_BUNDLE", ""};
  const OwnVariable no_file_{"SSL_CERT_FILE", ""};
  const OwnVariable no_folder_{"SSL_CERT_DIR", ""};
  TempFolder folder_;
  CertificateAuthority authority_{folder_.path().string()};
  CannedServer server_{{CannedServer::Answer("200 OK", "answer")}};
};

TEST_F(HttpTls, AnAuthorityThatNoVariableNamesIsNotTrusted) {
  const TlsProxy server(authority_.Issue("good", kNames), server_.port());
  ExpectRefused(server);
}

TEST_F(HttpTls, EachVariableNamesAuthorities) {
  const std::pair<const char*, std::string> variables[] = {
      {"CURL_CA_BUNDLE", authority_.file()},
      {"SSL_CERT_FILE", authority_.file()},
      {"SSL_CERT_DIR", authority_.hashed_folder()},
      {"SSL_CERT_DIR", "/does/not/exist:" + authority_.hashed_folder()},
  };
  for (const auto& [name, value] : variables) {
    const OwnVariable set(name, value);
    const TlsProxy server(authority_.Issue("good", kNames), server_.port());
    ExpectTrusted(server);
  }
}

TEST_F(HttpTls, OnlyTheAuthoritiesThatAreNamedAreTrusted) {
  TempFolder other_folder;
  const CertificateAuthority other(other_folder.path().string());
  const TlsProxy server(authority_.Issue("good", kNames), server_.port());
  {
    const OwnVariable file("SSL_CERT_FILE", other.file());
    ExpectRefused(server);
  }
  {
    const OwnVariable folder("SSL_CERT_DIR", other.hashed_folder());
    ExpectRefused(server);
  }
  // The bundle wins.
  const OwnVariable file("SSL_CERT_FILE", authority_.file());
  const OwnVariable folder("SSL_CERT_DIR", authority_.hashed_folder());
  const OwnVariable bundle("CURL_CA_BUNDLE", other.file());
  ExpectRefused(server);
}

TEST_F(HttpTls, AFileAndAFolderAreTrustedTogether) {
  TempFolder other_folder;
  const CertificateAuthority other(other_folder.path().string());
  const OwnVariable file("SSL_CERT_FILE", other.file());
  const OwnVariable folder("SSL_CERT_DIR", authority_.hashed_folder());
  const TlsProxy one(authority_.Issue("good", kNames), server_.port());
  ExpectTrusted(one);
  const TlsProxy two(other.Issue("good", kNames), server_.port());
  ExpectTrusted(two);
}

TEST_F(HttpTls, AnotherHostAnExpiredAndASelfSignedCertificateGetNoToken) {
  const ServerCertificate refused[] = {
      authority_.Issue("other-host", "DNS:other.example,IP:127.0.0.2"),
      authority_.Issue("expired", kNames, true),
      authority_.SelfSigned("self-signed", kNames),
  };
  for (const char* variable : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    const OwnVariable file(variable, authority_.file());
    for (const ServerCertificate& certificate : refused) {
      SCOPED_TRACE(certificate.certificate);
      const TlsProxy server(certificate, server_.port());
      ExpectRefused(server);
    }
    const TlsProxy by_address(authority_.Issue("by-address", "IP:127.0.0.1"), server_.port());
    ExpectRefused(by_address, "localhost");
  }
}

TEST_F(HttpTls, AFileThatCannotBeReadIsAnError) {
  for (const char* variable : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    const OwnVariable file(variable, folder_.File("missing.pem"));
    const TlsProxy server(authority_.Issue("good", kNames), server_.port());
    const auto error = Try(server);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::kInvalid) << error->what();
    EXPECT_THAT(error->what(), AllOf(HasSubstr("missing.pem"), HasSubstr("SSL_CERT_DIR")));
    EXPECT_THAT(server.received(), IsEmpty());
  }
}

TEST(HttpAuthorities, AreThoseOfTheFirstVariable) {
  static std::map<std::string, std::string> variables;
  const auto found = [] {
    return http::AuthoritiesOf([](const char* name) -> const char* {
      const auto at = variables.find(name);
      return at == variables.end() ? nullptr : at->second.c_str();
    });
  };
  using http::Authorities;
  EXPECT_EQ(found(), std::nullopt);
  variables = {{"SSL_CERT_FILE", ""}, {"CURL_CA_BUNDLE", ""}};
  EXPECT_EQ(found(), std::nullopt);
  variables = {{"SSL_CERT_FILE", "f"}, {"CURL_CA_BUNDLE", ""}};
  EXPECT_EQ(found(), (Authorities{"f", std::nullopt}));
  variables = {{"SSL_CERT_DIR", "d"}};
  EXPECT_EQ(found(), (Authorities{std::nullopt, "d"}));
  variables = {{"SSL_CERT_DIR", "d"}, {"SSL_CERT_FILE", "f"}};
  EXPECT_EQ(found(), (Authorities{"f", "d"}));
  variables["CURL_CA_BUNDLE"] = "b";
  EXPECT_EQ(found(), (Authorities{"b", std::nullopt}));
}

}  // namespace
}  // namespace flaky
