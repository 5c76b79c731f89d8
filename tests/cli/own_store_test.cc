// SPDX-License-Identifier: MIT

// A store from outside the tree, added by the recipe of stores/store.h alone, in the program. The package test
// `embedding` builds it against an installed flaky and tests its contract.

#include <gmock/gmock.h>

#include "stores/open.h"
#include "stores/schemes.h"
#include "tests/cli/program_fixture.h"
#include "tests/package/projects/embedding/shelf_store.h"
#include "tests/support/contents.h"

namespace flaky {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class OwnStoreTest : public ProgramTest {
 protected:
  OwnStoreTest() {
    RegisterStore(kShelfScheme, kShelfDriver);
    shelf_ = "shelf:" + std::to_string(++shelves_);
  }

  std::string shelf_;

 private:
  static inline int shelves_ = 0;
};

TEST_F(OwnStoreTest, IsKnownByItsNameAndLocation) {
  EXPECT_TRUE(IsBuilt("shelf"));
  EXPECT_EQ(ParseLocation(shelf_).scheme, "shelf");
  try {
    ParseLocation("shelve:x");
    ADD_FAILURE() << "no error";
  } catch (const StoreError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("sqlite:PATH"), HasSubstr("shelf:NAME")));
  }
}

TEST_F(OwnStoreTest, IsMigratedToAndFrom) {
  Keep({BuildRecord("a").Project("demo").Part("p", 0, 1).Fail("S.T").Build(),
        BuildRecord("b").Project("demo").Part("p", 1).Build()});
  const std::string source = "sqlite:" + Path("h.db"), target = "sqlite:" + Path("new.db");
  Outcome outcome = Run({"migrate-store", "--from", source, "--to", shelf_});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(StartsWith("copied " + source + " to " + shelf_ + "\n"), HasSubstr("verified: ")));
  EXPECT_EQ(ContentsAt(shelf_), ContentsAt(source));

  outcome = Run({"migrate-store", "--from", shelf_, "--to", target});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(ContentsAt(target), ContentsAt(source));
}

TEST_F(OwnStoreTest, KeepsTheHistoryThatSettingsName) {
  Unset("FLAKY_TESTS_DB");
  Set("FLAKY_TESTS_STORE", "shelf");
  EXPECT_THAT(Run({"runs"}).err, HasSubstr("FLAKY_TESTS_CONNECTION_STRING is not set"));
  Set("FLAKY_TESTS_CONNECTION_STRING", shelf_);
  OpenStore(ParseLocation(shelf_), OpenMode::kWrite)
      ->Write(std::vector{BuildRecord("stored").Project("demo").Part("p", 0).Build()});
  EXPECT_THAT(Run({"runs"}).out, HasSubstr("stored"));
}

TEST_F(OwnStoreTest, WithoutAHealthCheckDoctorSaysSo) {
  Unset("FLAKY_TESTS_DB");
  Set("FLAKY_TESTS_STORE", "shelf");
  Set("FLAKY_TESTS_CONNECTION_STRING", shelf_);
  OpenStore(ParseLocation(shelf_), OpenMode::kWrite);
  EXPECT_THAT(Run({"doctor"}).out, HasSubstr(shelf_ + " can be opened; the store `shelf` has no health check, so "
                                                      "permissions, schema and clock are not checked"));
}

TEST_F(OwnStoreTest, WhatItDoesNotOfferIsAnError) {
  const auto error_of = [](const std::function<void()>& call) -> std::string {
    try {
      call();
    } catch (const StoreError& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
      return error.what();
    }
    return "no error";
  };
  const Location location = ParseLocation(shelf_);
  EXPECT_THAT(error_of([&] { SchemaScript("shelf", ""); }), HasSubstr("the store `shelf` has no SQL tables"));
  EXPECT_THAT(error_of([&] { AdoptionScript("shelf", "a", "b", false); }), HasSubstr("has no SQL tables"));
  EXPECT_THAT(error_of([&] { LookAtTables(location); }), HasSubstr("the store `shelf` has no SQL tables"));
  EXPECT_THAT(error_of([&] { DropTables(location, {}); }), HasSubstr("the store `shelf` has no SQL tables"));
  EXPECT_THAT(error_of([&] { MigrateFromOutside(location, {}, {}); }), HasSubstr("makes its own tables"));
}

}  // namespace
}  // namespace flaky
