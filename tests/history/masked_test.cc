// SPDX-License-Identifier: MIT
#include "history/masked.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace flaky {
namespace {

using testing::ElementsAre;

TEST(Masked, ShowsWhatComesBeforeASecret) {
  EXPECT_EQ(Masked("--token=abc"), "--token=***");
  EXPECT_EQ(Masked("--db-url=postgresql://bob:pw@db/x"), "--db-url=postgresql://***");
  EXPECT_EQ(Masked("--gtest_filter=Token.Works:Password.*"), "--gtest_filter=Token.Works:Password.*");
  EXPECT_EQ(Masked(""), "");
}

TEST(Masked, FindsSecretsByTheirNames) {
  for (const char* text : {"--password=x",
                           "--db-password=x",
                           "-password=x",
                           "DB_PASSWORD=x",
                           "dbPassword=x",
                           "PGPASSWORD=x",
                           "--passwd=x",
                           "API_KEY=x",
                           "--api-key=x",
                           "--apikey:x",
                           "X-Api-Key: x",
                           "Authorization: x",
                           "--client-secret=x",
                           "token: x",
                           "{\"password\":\"x\"}",
                           "{'token' : 'x'}",
                           "host=h password=x",
                           "host=h password = 'x y'",
                           "?passwor%64=x",
                           "https://h/p?a=1&access_token=x",
                           "Server=h;Pwd=x;",
                           "--auth=x",
                           "--passphrase=x",
                           "cookie=x",
                           "--key=x",
                           "--credentials=x",
                           "SECRET=x",
                           "p.a.s.s.w.o.r.d=x"}) {
    EXPECT_TRUE(LooksSecret(text)) << text;
    EXPECT_EQ(Masked(text).find('x', 1), std::string::npos) << Masked(text);
  }
}

TEST(Masked, FindsSecretsByTheirForms) {
  for (const char* text :
       {"AKIAIOSFODNN7EXAMPLE", "--id=AKIAIOSFODNN7EXAMPLE", "ghp_0123456789abcdef", "glpat-0123456789",
        "xoxb-123456789012", "eyJhbGciOiJIUzI1NiJ9.e30.x", "sb_secret_0123", "Bearer abc", "basic YWJj",
        "wJalrXUtnFEMI7K7MDENG9bPx4RfiCY2EX1AMPLEKEY", "-----BEGIN RSA PRIVATE KEY-----"}) {
    EXPECT_TRUE(LooksSecret(text)) << text;
  }
}

TEST(Masked, FindsCredentials) {
  for (const char* text : {"postgresql://bob:pw@h/d", "https://TOKEN@h", "bob:pw@h", "--db=bob:pw@h:5432/d",
                           "postgres://bob:p/w@h", "postgres://bob:p@w@h", "postgres://bob:p w@h", "bob:pw@"}) {
    EXPECT_TRUE(LooksSecret(text)) << text;
  }
}

TEST(Masked, LeavesOtherArgumentsAsTheyAre) {
  for (const char* text : {"./t",
                           "/usr/bin/ctest",
                           "--gtest_filter=A.*:B.Password",
                           "--gtest_output=xml:out.xml",
                           "-j8",
                           "--repeat=3",
                           "--user=bob",
                           "--mail=bob@example.com",
                           "git@example.com:group/project",
                           "https://example.com/a?b=c",
                           "a:b",
                           "--sha=0123456789abcdef0123456789abcdef01234567",
                           "Suite::Token::Test",
                           "--monkey=1",
                           "--tokens",
                           "--compass=n",
                           "C:\\Users\\x",
                           "MyVeryLongSuiteOfManyTestsForTheServer2",
                           "a/b@2/c",
                           "--passes=3x"}) {
    EXPECT_FALSE(LooksSecret(text)) << Masked(text);
  }
}

TEST(Masked, TheProgramIsShown) {
  EXPECT_THAT(MaskedArguments(std::vector<std::string>{"/a:b@c/t", "token=x"}), ElementsAre("/a:b@c/t", "token=***"));
  EXPECT_THAT(MaskedArguments(std::vector<std::string>{}), ElementsAre());
}

TEST(Masked, AnOptionHidesTheNextArgument) {
  const std::vector<std::string> arguments = {"./t",     "--password",         "abc",    "-u",  "bob:abc",
                                              "--token", "--gtest_filter=A.B", "--user", "bob", "--api-key",
                                              "-abc"};
  EXPECT_THAT(MaskedArguments(arguments), ElementsAre("./t", "--password", "***", "-u", "***", "--token",
                                                      "--gtest_filter=A.B", "--user", "bob", "--api-key", "***"));
}

TEST(LooksLikeAddress, KnowsAddressesFromNamesAndPaths) {
  for (const char* text :
       {"postgresql://h/d", "postgresql+psycopg2://h", "jdbc:postgresql:d", "psql -h x", "libsql:x", "http:/h", "://h",
        "TOKEN@host", "bob:pw@h", "host=h port=1", "dbname=d", "password=x", "eyJhbGciOiJIUzI1NiJ9.e30.x", "https:x"}) {
    EXPECT_TRUE(LooksLikeAddress(text)) << text;
  }
  for (const char* text : {"", "demo", "@scope/name", "group/project", "a:b", "/x/y/h.db", "./a@b.db", "/home/a@b/h.db",
                           "C++ tests", "httpd", "postgres", "my history.db", "../x?y", "~/h.db", "host", "a=b"}) {
    EXPECT_FALSE(LooksLikeAddress(text)) << text;
  }
}

TEST(Unwrapped, RemovesWhatIsAroundAText) {
  for (const char* text : {"a b", " a b", "a b\n", "a b\r\n", "\t\"a b\"\n", "'a b'", "\"'a b'\"", "\" a b \""}) {
    EXPECT_EQ(Unwrapped(text), "a b") << text;
  }
  EXPECT_EQ(Unwrapped("\"a"), "\"a");
  EXPECT_EQ(Unwrapped("a'b'"), "a'b'");
  EXPECT_EQ(Unwrapped("\""), "\"");
  EXPECT_EQ(Unwrapped("\"\""), "");
  EXPECT_EQ(Unwrapped(" \n"), "");
}

class KnownSecretsTest : public testing::Test {
 protected:
  KnownSecretsTest() { ForgetKnownSecrets(); }
  ~KnownSecretsTest() override { ForgetKnownSecrets(); }
};

TEST_F(KnownSecretsTest, AreTakenOutOfWhatOthersSay) {
  EXPECT_EQ(WithoutKnownSecrets("user hunter2"), "user hunter2");
  KeepOutOfMessages("hunter2");
  EXPECT_EQ(WithoutKnownSecrets("Bearer hunter2, hunter22"), "Bearer ***, ***2");
  KeepOutOfMessages("p%40ss word");
  EXPECT_EQ(WithoutKnownSecrets("p%40ss word p@ss word p@ss, word"), "*** *** p@ss, word");
  ForgetKnownSecrets();
  EXPECT_EQ(WithoutKnownSecrets("hunter2"), "hunter2");
}

TEST_F(KnownSecretsTest, TheLongestCountsFirst) {
  KeepOutOfMessages("abcdef");
  KeepOutOfMessages("abcdefgh");
  EXPECT_EQ(WithoutKnownSecrets("xabcdefghx abcdef"), "x***x ***");
}

// A password may be a word, such as `a`, without which no message could be understood.
TEST_F(KnownSecretsTest, AShortOneHidesNoWord) {
  KeepOutOfMessages("a");
  KeepOutOfMessages("mover");
  EXPECT_EQ(WithoutKnownSecrets("a row of the role 'mover'"), "a row of the role 'mover'");
}

TEST_F(KnownSecretsTest, WordsOfMessagesAreNot) {
  KeepOutOfMessages("postgres");
  KeepOutOfMessages("");
  EXPECT_EQ(WithoutKnownSecrets("database postgres"), "database postgres");
}

TEST_F(KnownSecretsTest, ALongNameIsCutByPostgres) {
  const std::string token(100, 'k');
  KeepOutOfMessages(token);
  EXPECT_EQ(WithoutKnownSecrets("role \"" + token.substr(0, 63) + "\""), "role \"***\"");
}

TEST_F(KnownSecretsTest, PartsOfAnAddressAreAdded) {
  KeepPartsOutOfMessages("postgres://bob:abc@def@h/d");
  EXPECT_EQ(WithoutKnownSecrets("abc@def"), "***");
  KeepPartsOutOfMessages("host=h password=the-first dbname=data sslpassword=second");
  EXPECT_EQ(WithoutKnownSecrets("the-first dbname=data second"), "*** dbname=data ***");
  ForgetKnownSecrets();
  KeepPartsOutOfMessages("sqlite:/x/h.db");
  EXPECT_EQ(WithoutKnownSecrets("sqlite:/x/h.db"), "sqlite:/x/h.db");
}

}  // namespace
}  // namespace flaky
