#include "stores/location.h"

#include <gmock/gmock.h>

#include "stores/error.h"
#include "stores/open.h"

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
  EXPECT_EQ(location.shown, "sqlite:/var/lib/my history.db");
}

TEST(Location, TakesTheTildeAsItIs) { EXPECT_EQ(ParseLocation("sqlite:~/h.db").address.Reveal(), "~/h.db"); }

TEST(Location, OwnPrefixCountsMoreThanTheDefault) {
  EXPECT_EQ(ParseLocation("sqlite:a.db", "team_").prefix, "team_");
  const Location location = ParseLocation("sqlite:a.db?prefix=mine_2", "team_");
  EXPECT_EQ(location.prefix, "mine_2");
  EXPECT_EQ(location.address.Reveal(), "a.db");
  EXPECT_EQ(location.shown, "sqlite:a.db?prefix=mine_2");
  const Location none = ParseLocation("sqlite:a.db?prefix=", "team_");
  EXPECT_EQ(none.prefix, "");
  EXPECT_EQ(none.shown, "sqlite:a.db?prefix=");
}

TEST(Location, WhatIsShownIsUnderstoodAgain) {
  for (const char* text :
       {"sqlite:a.db", "sqlite:a.db?prefix=x", "sqlite:a.db?prefix=", "sqlite:a?prefix=b?prefix=c"}) {
    const Location location = ParseLocation(text);
    const Location again = ParseLocation(location.shown);
    EXPECT_EQ(again.address, location.address);
    EXPECT_EQ(again.prefix, location.prefix);
  }
}

TEST(Location, OnlyTheLastPrefixIsAnOption) {
  const Location location = ParseLocation("sqlite:a?prefix=b?prefix=c");
  EXPECT_EQ(location.address.Reveal(), "a?prefix=b");
  EXPECT_EQ(location.prefix, "c");
}

TEST(Location, RefusesWhatItDoesNotUnderstand) {
  EXPECT_THAT(Refusal(""), HasSubstr("sqlite:PATH"));
  EXPECT_THAT(Refusal("history.db"), AllOf(HasSubstr("history.db"), HasSubstr("sqlite:PATH")));
  EXPECT_THAT(Refusal("mysql:x"), AllOf(HasSubstr("'mysql'"), HasSubstr("sqlite:PATH")));
  EXPECT_THAT(Refusal("SQLite:x"), HasSubstr("'SQLite'"));
  EXPECT_THAT(Refusal("sqlite:"), HasSubstr("empty"));
  EXPECT_THAT(Refusal("sqlite:?prefix=a"), HasSubstr("empty"));
  EXPECT_THAT(Refusal("sqlite:a.db?mode=ro"), HasSubstr("prefix=NAME"));
  EXPECT_THAT(Refusal("sqlite:a.db?prefix"), HasSubstr("prefix=NAME"));
  EXPECT_THAT(Refusal("sqlite:a.db?prefix=a&b"), HasSubstr("a-z"));
  EXPECT_THAT(Refusal("sqlite:a\x1b[31m.db?x=1"), AllOf(Not(HasSubstr("\x1b")), HasSubstr("\\x1b")));
}

TEST(Location, NeverShowsAPassword) {
  for (const char* text : {"postgres://user:hunter2@host/db", "postgresql://u:hunter2@h/d?password=hunter2",
                           "postgres://user:a:hunter2@host", "libsql://host?authToken=hunter2",
                           "supabase:https://u:hunter2@p.supabase.co"}) {
    const Location location = ParseLocation(text);
    EXPECT_THAT(location.shown, Not(HasSubstr("hunter2"))) << text;
    EXPECT_THAT(location.address.Reveal(), HasSubstr("hunter2"));
    try {
      OpenStore(location, OpenMode::kRead);
      FAIL() << "opened " << text;
    } catch (const StoreError& error) {
      EXPECT_THAT(error.what(), Not(HasSubstr("hunter2")));
    }
  }
  EXPECT_THAT(Refusal("mysql://user:hunter2@host/db"), Not(HasSubstr("hunter2")));
  EXPECT_THAT(ParseLocation("postgres://user:hunter2@host/db").shown, HasSubstr("user:***@host/db"));
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
  for (const SchemeInfo& scheme : KnownSchemes()) {
    if (scheme.built) continue;
    Location location;
    location.scheme = scheme.scheme;
    location.address = Secret("x");
    location.shown = scheme.scheme + ":x";
    try {
      OpenStore(location, OpenMode::kWrite);
      ADD_FAILURE() << scheme.scheme;
    } catch (const StoreError& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
      EXPECT_THAT(error.what(), AllOf(HasSubstr("'" + scheme.scheme + "'"), HasSubstr("does not have")));
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
