// SPDX-License-Identifier: MIT
#include "stores/location.h"

#include <gmock/gmock.h>

#include "history/masked.h"
#include "stores/error.h"
#include "stores/open.h"
#include "stores/redacted.h"
#include "stores/schemes.h"

namespace flaky {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// What ParseLocation says against the text.
std::string Refusal(std::string_view text) {
  try {
    ParseLocation(text);
  } catch (const StoreError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    return error.what();
  }
  ADD_FAILURE() << "understood: " << text;
  return "";
}

TEST(Location, IsASchemeAndAnAddress) {
  const Location location = ParseLocation("sqlite:/var/lib/my history.db");
  EXPECT_EQ(location.scheme, "sqlite");
  EXPECT_EQ(location.address.Reveal(), "/var/lib/my history.db");
  EXPECT_EQ(location.prefix, "flaky_test_");
  EXPECT_EQ(location.display_name, "sqlite:/var/lib/my history.db");
}

TEST(Location, TakesTheTildeAsItIs) { EXPECT_EQ(ParseLocation("sqlite:~/h.db").address.Reveal(), "~/h.db"); }

TEST(Location, OwnPrefixCountsMoreThanTheDefault) {
  EXPECT_EQ(ParseLocation("sqlite:a.db", "team_").prefix, "team_");
  const Location location = ParseLocation("sqlite:a.db?prefix=mine_2", "team_");
  EXPECT_EQ(location.prefix, "mine_2");
  EXPECT_EQ(location.address.Reveal(), "a.db");
  EXPECT_EQ(location.display_name, "sqlite:a.db?prefix=mine_2");
  const Location none = ParseLocation("sqlite:a.db?prefix=", "team_");
  EXPECT_EQ(none.prefix, "");
  EXPECT_EQ(none.display_name, "sqlite:a.db?prefix=");
}

TEST(Location, WhatIsShownIsUnderstoodAgain) {
  for (const char* text :
       {"sqlite:a.db", "sqlite:a.db?prefix=x", "sqlite:a.db?prefix=", "sqlite:a?prefix=b?prefix=c"}) {
    const Location location = ParseLocation(text);
    const Location again = ParseLocation(location.display_name);
    EXPECT_EQ(again.address, location.address);
    EXPECT_EQ(again.prefix, location.prefix);
  }
}

TEST(Location, OnlyTheLastPrefixIsAnOption) {
  const Location location = ParseLocation("sqlite:a?prefix=b?prefix=c");
  EXPECT_EQ(location.address.Reveal(), "a?prefix=b");
  EXPECT_EQ(location.prefix, "c");
}

TEST(Location, AUrlTellsItsStore) {
  const auto store_and_address = [](std::string_view text) {
    const Location location = ParseLocation(text);
    return location.scheme + " " + location.address.Reveal();
  };
  for (const char* url : {"postgres://h/d", "postgresql://u@h:5433/d?sslmode=require", "postgres:///d?host=/run/pg"}) {
    EXPECT_EQ(store_and_address(url), std::string("postgres ") + url);
    EXPECT_EQ(store_and_address(std::string("postgres:") + url), std::string("postgres ") + url);
  }
  for (const char* url : {"libsql://db-org.turso.io", "http://127.0.0.1:8080", "https://h/path"}) {
    EXPECT_EQ(store_and_address(url), std::string("turso ") + url);
    EXPECT_EQ(store_and_address(std::string("turso:") + url), std::string("turso ") + url);
  }
  EXPECT_EQ(store_and_address("supabase:https://p.supabase.co"), "supabase https://p.supabase.co");
  EXPECT_EQ(ParseLocation("turso:libsql://h.example").display_name, "libsql://h.example");
  EXPECT_EQ(ParseLocation("postgres:postgresql://h/d").display_name, "postgresql://h/d");
}

TEST(Location, PostgresTakesSettingsAndNothingAtAll) {
  EXPECT_EQ(ParseLocation("postgres:host=h dbname=d").address.Reveal(), "host=h dbname=d");
  EXPECT_EQ(ParseLocation("postgres:").address.Reveal(), "");
  EXPECT_EQ(ParseLocation("postgres:").display_name, "postgres:");
  EXPECT_EQ(ParseLocation("postgres:?prefix=x_").prefix, "x_");
  EXPECT_EQ(ParseLocation("postgres:?prefix=x_").address.Reveal(), "");
}

TEST(Location, ThePrefixIsOneOfAUrlsOptions) {
  const std::pair<const char*, const char*> cases[] = {
      {"postgres://h/d?prefix=p_", "postgres://h/d"},
      {"postgres://h/d?prefix=p_&sslmode=require", "postgres://h/d?sslmode=require"},
      {"postgres://h/d?sslmode=require&prefix=p_", "postgres://h/d?sslmode=require"},
      {"postgres://h/d?a=1&prefix=p_&b=2", "postgres://h/d?a=1&b=2"},
      {"libsql://h?tls=0&prefix=p_", "libsql://h?tls=0"},
  };
  for (const auto& [text, address] : cases) {
    const Location location = ParseLocation(text);
    EXPECT_EQ(location.prefix, "p_") << text;
    EXPECT_EQ(location.address.Reveal(), address);
  }
  EXPECT_EQ(ParseLocation("postgres://h/d?xprefix=p_").prefix, "flaky_test_");
  EXPECT_EQ(ParseLocation("postgres://h/d?sslmode=require").display_name, "postgres://h/d?…");
  EXPECT_EQ(ParseLocation("postgres://h/d?prefix=p_").display_name, "postgres://h/d?prefix=p_");
}

TEST(Location, RefusesWhatItDoesNotUnderstand) {
  EXPECT_THAT(Refusal(""), HasSubstr("sqlite:PATH"));
  EXPECT_THAT(Refusal("history.db"), AllOf(HasSubstr("sqlite:PATH"), Not(HasSubstr("history.db"))));
  EXPECT_THAT(Refusal("mysql:x"), HasSubstr("sqlite:PATH"));
  EXPECT_THAT(Refusal("SQLite:x"), HasSubstr("sqlite:PATH"));
  EXPECT_THAT(Refusal("jdbc:postgresql://h/d"), HasSubstr("remove what other programs put in front"));
  for (const char* not_a_path : {"sqlite:postgres://h/d", "jsonl:https://h", "sqlite:host=h", "sqlite:TOKEN@host",
                                 "sqlite:eyJhbGciOiJIUzI1NiJ9.e30.x"}) {
    EXPECT_THAT(Refusal(not_a_path), HasSubstr("expected the path of a file")) << not_a_path;
  }
  EXPECT_THAT(Refusal("sqlite:"), HasSubstr("empty"));
  EXPECT_THAT(Refusal("sqlite:?prefix=a"), HasSubstr("empty"));
  EXPECT_THAT(Refusal("sqlite:a.db?mode=ro"), HasSubstr("prefix=NAME"));
  EXPECT_THAT(Refusal("sqlite:a.db?prefix"), HasSubstr("prefix=NAME"));
  EXPECT_THAT(Refusal("sqlite:a.db?prefix=a&b"), HasSubstr("a-z"));
  EXPECT_THAT(Refusal("sqlite:a\x1b[31m.db?x=1"), Not(HasSubstr("\x1b")));
}

TEST(Location, NeverShowsAPassword) {
  for (const char* text :
       {"postgres://user:hunter2@host/db", "postgresql://u:hunter2@h/d?password=hunter2",
        "postgres://user:a:hunter2@host", "postgres://u:a/hunter2@h/d", "postgres://u:a?hunter2@h/d",
        "postgres://u:a@hunter2@h/d", "libsql://host?authToken=hunter2", "supabase:https://u:hunter2@p.supabase.co",
        "postgres:host=h password=hunter2 dbname=d", "postgres:password = 'a hunter2'",
        "postgres:password='a\\'hunter2'", "postgres:host=h sslpassword=hunter2"}) {
    const Location location = ParseLocation(text);
    EXPECT_THAT(location.display_name, Not(HasSubstr("hunter2"))) << text;
    EXPECT_THAT(location.address.Reveal(), HasSubstr("hunter2"));
    EXPECT_TRUE(HoldsSecret(SchemeOf(location.scheme), location.address.Reveal())) << text;
  }
  EXPECT_THAT(Refusal("mysql://user:hunter2@host/db"), Not(HasSubstr("hunter2")));
  EXPECT_EQ(ParseLocation("postgres://user:hunter2@host/db").display_name, "postgres://***@host/db");
  EXPECT_EQ(ParseLocation("postgres:dbname='my db' password=hunter2 port=5433 user=me").display_name,
            "postgres:dbname='my db' port=5433 user=me");
}

TEST(Location, ShowsNothingOfAnUnusualAddress) {
  const auto shown = [](const std::string& text) { return ParseLocation(text).display_name; };
  for (const char* text :
       {"postgres://bob:1?hunter2@h/d", "postgres://bob:hunter2", "postgres://h/d#hunter2", "postgres://hunter2",
        "postgres://u@h/a/hunter2", "postgres:postgresql+psycopg2://u:hunter2@h",
        "postgres:jdbc:postgresql://h?p=hunter2", "postgres:host=h;password=hunter2", "postgres:host=h hunter2",
        "postgres:host=Hunter2", "postgres:passwor%64=hunter2", "postgres:hunter2"}) {
    EXPECT_EQ(shown(text), "postgres:(address not shown)") << text;
  }
  for (const char* text : {"libsql://Hunter2.example", "libsql://h:hunter2", "libsql://h.example/#hunter2",
                           "libsql://hunter2", "turso:hunter2", "libsql://h.example/a b"}) {
    EXPECT_EQ(shown(text), "turso:(address not shown)") << text;
  }
  EXPECT_EQ(shown("postgres://u:x#y@h:5433,[::1]:2/d_1?a=b"), "postgres://***@h:5433,[::1]:2/d_1?…");
  EXPECT_EQ(shown("postgres://token@h/d"), "postgres://***@h/d");
  EXPECT_EQ(shown("supabase:https://p.supabase.co/rest/v1"), "supabase:https://p.supabase.co/rest/v1");
}

TEST(Location, KeepsWhatItDoesNotShowOutOfMessages) {
  ForgetKnownSecrets();
  ParseLocation("postgres://bob:hunter%32@h.example/d?extra=wordfive&sslmode=require");
  ParseLocation("libsql://Some.Host");
  ParseLocation("libsql://h.example?wordsix");
  ParseLocation("postgres:host=h password='a long one' user=bob");
  EXPECT_EQ(WithoutKnownSecrets("bob hunter2 hunter%32 h.example d wordfive wordsix require Some.Host a long one"),
            "bob *** *** h.example d *** *** require *** ***");
  const StoreError error(ErrorKind::kAuth, "postgres://h.example/d", "connect", "hunter2", "no hunter2");
  EXPECT_STREQ(error.what(), "postgres://h.example/d: cannot connect: no *** (***)");
  ForgetKnownSecrets();
}

TEST(Location, KnowsASecretInAnArgument) {
  const auto holds = [](std::string_view text) { return HoldsSecret(SchemeOf(StoreOf(text)), text); };
  for (const char* text : {"postgres://user@host:5432/db?sslmode=require", "libsql://host:8080?tls=0", "sqlite:a.db",
                           "postgres:", "postgres:host=h user=password", "postgres://h/db?sslrootcert=/x/token.pem",
                           "supabase:https://p.supabase.co"}) {
    EXPECT_FALSE(holds(text)) << text;
  }
  for (const char* text :
       {"postgres://h/db?passwor%64=x", "postgres://u%3ax@h/db", "libsql://token@h", "supabase:https://token@h",
        "libsql://h?auth%54oken=x", "postgres:PASSWORD=x", "postgres://ghp_0123456789@h/d", "turso:http://h?token=x"}) {
    EXPECT_TRUE(holds(text)) << text;
  }
}

TEST(Location, PrefixBeginsTablesNames) {
  for (const char* good : {"", "a", "flaky_test_", "0_", "team_2_", "a234567890123456789012345678901234567890"}) {
    EXPECT_NO_THROW(CheckPrefix(good, "x")) << good;
  }
  for (const char* bad : {"A", "a-b", "a.b", "a b", "a\"b", "a;DROP TABLE x", "ü", "sqlite_", "pg_",
                          "a2345678901234567890123456789012345678901"}) {
    try {
      CheckPrefix(bad, "FLAKY_TESTS_TABLE_PREFIX");
      ADD_FAILURE() << "accepted: " << bad;
    } catch (const StoreError& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
      EXPECT_THAT(error.what(), HasSubstr("FLAKY_TESTS_TABLE_PREFIX"));
    }
  }
  EXPECT_THROW(ParseLocation("sqlite:a.db", "Bad"), StoreError);
}

TEST(OpenStore, SaysWhichStoresThisBuildHas) {
  for (const SchemeInfo& scheme : Schemes()) {
    if (IsBuilt(scheme.name)) continue;
    Location location;
    location.scheme = scheme.name;
    location.address = Secret("x");
    location.display_name = location.scheme + ":x";
    try {
      OpenStore(location, OpenMode::kWrite);
      ADD_FAILURE() << scheme.name;
    } catch (const StoreError& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
      EXPECT_THAT(error.what(), AllOf(HasSubstr("'" + location.scheme + "'"), HasSubstr("does not have")));
    }
  }
}

TEST(StoreError, IsOneSentence) {
  const StoreError error(ErrorKind::kPermanent, "sqlite:/x/h.db", "write runs", "SQLITE_FULL",
                         "database or disk is full");
  EXPECT_STREQ(error.what(), "sqlite:/x/h.db: cannot write runs: database or disk is full (SQLITE_FULL)");
  EXPECT_STREQ(StoreError(ErrorKind::kInvalid, "", "", "", "no").what(), "no");
}

}  // namespace
}  // namespace flaky
