// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include "stores/error.h"
#include "stores/turso/url.h"

namespace flaky {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

turso::Address Parse(const std::string& text, const std::string& token = "") {
  Location location = ParseLocation(text);
  location.token = Secret(token);
  return turso::ParseAddress(location);
}

TEST(TursoUrl, IsReachedByHttp) {
  struct Case {
    const char* text;
    const char* base;
  };
  for (const Case& each : {
           Case{"libsql://db-org.turso.io", "https://db-org.turso.io"},
           Case{"libsql://db-org.turso.io/", "https://db-org.turso.io"},
           Case{"libsql://db-org.turso.io?tls=1", "https://db-org.turso.io"},
           Case{"libsql://host:8080", "https://host:8080"},
           Case{"libsql://host:8080?tls=0", "http://host:8080"},
           Case{"libsql://host:8080/?tls=0", "http://host:8080"},
           Case{"https://host", "https://host"},
           Case{"https://host?tls=1", "https://host"},
           Case{"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
           Case{"http://host?tls=0", "http://host"},
           Case{"http://[::1]:8080/a/b/", "http://[::1]:8080/a/b"},
           Case{"https://host/db%20one?prefix=x_", "https://host/db%20one"},
           Case{"turso:wss://host", "https://host"},
           Case{"turso:ws://host:1", "http://host:1"},
           Case{"turso:libsql://host", "https://host"},
       }) {
    EXPECT_EQ(Parse(each.text).base, each.base) << each.text;
  }
}

TEST(TursoUrl, KnowsThisMachine) {
  for (const char* text : {"http://localhost", "http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:8"}) {
    EXPECT_TRUE(Parse(text).loopback) << text;
  }
  for (const char* text : {"http://128.0.0.1", "libsql://localhost.example.org", "http://[::2]"}) {
    EXPECT_FALSE(Parse(text).loopback) << text;
  }
}

TEST(TursoUrl, ATokenInItOverrides) {
  EXPECT_EQ(Parse("libsql://host", "given").token.Reveal(), "given");
  const turso::Address address = Parse("libsql://host?authToken=a%2Eb%3d&tls=1", "given");
  EXPECT_EQ(address.token.Reveal(), "a.b=");
  EXPECT_EQ(address.base, "https://host");
  EXPECT_EQ(Parse("libsql://host").token.Reveal(), "");
}

TEST(TursoUrl, InvalidAddressesAreExplained) {
  struct Case {
    const char* text;
    const char* said;
  };
  for (const Case& each : {
           Case{"turso:db-org.turso.io", "expected a URL"},
           Case{"turso:file:///x.db", "sqlite:PATH"},
           Case{"turso:gopher://host", "invalid URL scheme"},
           Case{"libsql://", "host is missing"},
           Case{"libsql:///path", "host is missing"},
           Case{"libsql://:80", "invalid host"},
           Case{"libsql://a b", "invalid host"},
           Case{"libsql://a%62", "invalid host"},
           Case{"libsql://[::1", "invalid host"},
           Case{"libsql://[::1]x", "invalid port"},
           Case{"libsql://host:", "invalid port"},
           Case{"libsql://host:0", "invalid port"},
           Case{"libsql://host:65536", "invalid port"},
           Case{"libsql://host:80x", "invalid port"},
           Case{"libsql://user:secret@host", "FLAKY_TESTS_AUTH_TOKEN"},
           Case{"libsql://host#part", "'#'"},
           Case{"libsql://host?tls=0", "port"},
           Case{"libsql://host:1?tls=no", "0 or 1"},
           Case{"https://host?tls=0", "contradict"},
           Case{"http://host?tls=1", "contradict"},
           Case{"libsql://host?authTokn=secret", "unknown option"},
           Case{"libsql://host?authToken=secret%zz", "'%'"},
           Case{"libsql://host?authToken=secret%2", "'%'"},
           Case{"libsql://host?x", "unknown option"},
           Case{"libsql://host/a b", "path"},
           Case{"libsql://host/\x01", "path"},
       }) {
    try {
      Parse(each.text);
      ADD_FAILURE() << each.text << " was understood";
    } catch (const StoreError& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid) << each.text;
      EXPECT_THAT(error.what(), AllOf(HasSubstr(each.said), Not(HasSubstr("secret")))) << each.text;
    }
  }
}

TEST(TursoUrl, ATokenThatWouldBreakALineIsRefused) {
  for (const char* token : {"secret\n", "secret\r\nX-Header: y", "sec ret", "secret\x7f", "secr\xc3\xa9t"}) {
    try {
      Parse("libsql://host", token);
      ADD_FAILURE() << "was taken";
    } catch (const StoreError& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kAuth);
      EXPECT_THAT(error.what(), AllOf(HasSubstr("FLAKY_TESTS_AUTH_TOKEN"), Not(HasSubstr("sec"))));
    }
  }
}

}  // namespace
}  // namespace flaky
