// SPDX-License-Identifier: MIT
#include "settings/store_identity.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "stores/redacted.h"
#include "stores/schemes.h"
#include "tests/stores/own_variable.h"
#include "tests/support/temp_folder.h"

namespace flaky {
namespace {

namespace fs = std::filesystem;

std::string IdentityOf(const std::string& location) { return StoreIdentity(ParseLocation(location)); }

TEST(StoreIdentityTest, EveryPlaceHasItsOwn) {
  // Of many of them only `(address not shown)` is shown, or the same text.
  const std::vector<std::string> places = {
      "postgresql://host.example/db",
      "postgresql://Host.example/db",
      "postgresql://Other.example/db",
      "postgresql://a@Other.example/db",
      "postgresql://b@Other.example/db",
      "postgresql://a:x@Other.example:5433/db",
      "postgresql://a:x@Other.example:5433/odd%20name",
      "postgresql://a:x@Other.example:5433/odd%20name?options=-csearch_path%3Done",
      "postgresql://a:x@Other.example:5433/odd%20name?options=-csearch_path%3Dtwo",
      "postgresql://a:x@%2Frun%2Fone/db",
      "postgresql://a:x@%2Frun%2Ftwo/db",
      "postgresql://[::1]:1/db",
      "postgresql://[::1]:2/db",
      "postgresql://a,b:2/db",
      "postgresql://a,b:3/db",
      "postgres:",
      "postgres:host=one",
      "postgres:host=two user=a",
      "postgres:host=two user=b",
      "postgres:host='/Odd place' user=b",
      "postgres:host='/Odd place 2' user=b",
      "postgres:service=one",
      "postgres:host=one?prefix=other_",
      "libsql://one",
      "libsql://two",
      "turso:http://one",
      "turso:http://one:8080",
      "turso:http://one:8080/Odd'path",
      "turso:http://one:8080/Odd'path2",
      "supabase:https://One.supabase.co",
      "supabase:https://Two.supabase.co",
      "sqlite:/a/history.db",
      "sqlite:/b/history.db",
      "sqlite:/b/history.db?prefix=other_",
  };
  std::set<std::string> identities;
  for (const std::string& place : places) {
    const std::string identity = IdentityOf(place);
    EXPECT_EQ(identity.size(), 32u);
    EXPECT_EQ(identity.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_TRUE(identities.insert(identity).second) << place;
    EXPECT_EQ(IdentityOf(place), identity);
  }
}

TEST(StoreIdentityTest, PasswordsAndTokensDoNotCount) {
  const std::vector<std::vector<std::string>> equal = {
      {"postgresql://a@h.example/db", "postgresql://a:one@h.example/db", "postgresql://a:t%40wo@h.example/db",
       "postgresql://a:three?@h.example/db"},
      {"postgresql://a@h.example/db?sslmode=require", "postgresql://a@h.example/db?password=x&sslmode=require",
       "postgresql://a@h.example/db?sslmode=require&sslpassword=y"},
      {"postgres:host=h user=a", "postgres:host=h password=one user=a",
       "postgres: host = h user=a password='t wo'"},
      {"libsql://h.example", "libsql://h.example?authToken=one", "libsql://h.example?authToken=two"},
  };
  for (const auto& group : equal) {
    for (const std::string& location : group) EXPECT_EQ(IdentityOf(location), IdentityOf(group[0])) << location;
  }
  Location with_token = ParseLocation("libsql://h.example");
  with_token.token = Secret("token");
  EXPECT_EQ(StoreIdentity(with_token), IdentityOf("libsql://h.example"));
}

// Whatever is written wrongly around it.
TEST(StoreIdentityTest, NoPartOfAPasswordIsInThePlace) {
  const std::vector<std::string> texts = {
      "postgresql://bob:Zx9kfa/Wq7mvb@127.0.0.1:1/db",
      "postgresql://bob:Zx9kfa@Wq7mvb@127.0.0.1:1/db",
      "postgresql://bob:Zx9kfa@Wq7mvb/Zx9kfa@127.0.0.1:1/db",
      "postgresql://bob:Zx9kfa#Wq7mvb@127.0.0.1:1/db",
      "postgresql://bob:Zx9kfa?Wq7mvb@127.0.0.1:1/db",
      "postgresql://bob:1/?Zx9kfa@Wq7mvb=1@127.0.0.1:1/db",
      "postgresql://bob:1?Zx9kfa=Wq7mvb@127.0.0.1:1/db",
      "postgresql://bob%3AZx9kfaWq7mvb@127.0.0.1:1/db",
      "postgresql://bob:Zx9kfaWq7mvb",
      "postgresql://bob:Zx9kfaWq7mvb@",
      "postgresql://h,bob:Zx9kfaWq7mvb/db",
      "postgresql://[::1]:Zx9kfaWq7mvb/db",
      "postgresql://127.0.0.1:1/db?passwor%64=Zx9kfaWq7mvb&sslmode=odd",
      "postgresql://127.0.0.1:1/db?pasword=Zx9kfaWq7mvb",
      "postgresql://127.0.0.1:1/db?Zx9kfaWq7mvb",
      "postgres:bob:Zx9kfaWq7mvb@127.0.0.1",
      "postgres:/bob:Zx9kfaWq7mvb@127.0.0.1:1/db",
      "postgres:host=127.0.0.1 password='Zx9kfa Wq7mvb",
      "postgres:host=127.0.0.1 password=Zx9kfa Wq7mvb",
      "postgres:host=127.0.0.1;password=Zx9kfaWq7mvb",
      "postgres:host=127.0.0.1,password=Zx9kfaWq7mvb user=a",
      "postgres:host=127.0.0.1 passwor%64=Zx9kfaWq7mvb",
      "postgres:host=127.0.0.1 sslpassword=Zx9kfaWq7mvb",
      "libsql://127.0.0.1:Zx9kfaWq7mvb",
      "libsql://Zx9kfaWq7mvb@127.0.0.1:1",
      "libsql://127.0.0.1:1/#Zx9kfaWq7mvb",
      "libsql://127.0.0.1:1?Zx9kfaWq7mvb",
      "libsql://127.0.0.1:1?authTokn=Zx9kfaWq7mvb",
      "turso:https://u:Zx9kfaWq7mvb@127.0.0.1:1",
      "supabase:https://u:Zx9kfaWq7mvb@127.0.0.1:1",
  };
  for (const std::string& text : texts) {
    const Location location = ParseLocation(text);
    const std::string place = PlaceIn(SchemeOf(location.scheme), location.address.Reveal());
    EXPECT_EQ(place.find("Zx9kfa"), std::string::npos) << text << ": " << place;
    EXPECT_EQ(place.find("Wq7mvb"), std::string::npos) << text << ": " << place;
  }
}

TEST(StoreIdentityTest, LibpqsVariablesCountForItsStoresOnly) {
  const std::string postgres = IdentityOf("postgres:dbname=db"), file = IdentityOf("sqlite:/a/h.db");
  const OwnVariable host("PGHOST", "one.example");
  const std::string with_host = IdentityOf("postgres:dbname=db");
  EXPECT_NE(with_host, postgres);
  const OwnVariable user("PGUSER", "somebody");
  EXPECT_NE(IdentityOf("postgres:dbname=db"), with_host);
  const std::string with_both = IdentityOf("postgres:dbname=db");
  const OwnVariable password("PGPASSWORD", "secret");
  EXPECT_EQ(IdentityOf("postgres:dbname=db"), with_both);
  EXPECT_EQ(IdentityOf("sqlite:/a/h.db"), file);
}

TEST(StoreIdentityTest, AFileIsTheSameByEveryPath) {
  const TempFolder folder;
  fs::create_directories(folder.File("real"));
  fs::create_directory_symlink(folder.File("real"), folder.File("link"));
  const std::string identity = IdentityOf("sqlite:" + folder.File("real/h.db"));
  EXPECT_EQ(IdentityOf("sqlite:" + folder.File("link/h.db")), identity);
  EXPECT_EQ(IdentityOf("sqlite:" + folder.File("real/./x/../h.db")), identity);
  EXPECT_NE(IdentityOf("sqlite:" + folder.File("h.db")), identity);
}

}  // namespace
}  // namespace flaky
