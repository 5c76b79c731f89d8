// SPDX-License-Identifier: MIT

// stores/drivers_linked.cc as it is in a build without any store: this program has its own, compiled without them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "stores/open.h"
#include "stores/schemes.h"

namespace flaky {
namespace {

void ExpectRefused(const std::string& store, const std::function<void()>& use) {
  SCOPED_TRACE(store);
  try {
    use();
    FAIL() << "not refused";
  } catch (const StoreError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error.what(), testing::HasSubstr("this build does not have the store '" + store + "'; it has: none"));
  }
}

TEST(StoresLeftOut, SayThatTheyAre) {
  ASSERT_FALSE(Schemes().empty());
  for (const SchemeInfo& scheme : Schemes()) EXPECT_FALSE(IsBuilt(scheme.name)) << scheme.name;
  for (const char* text :
       {"sqlite:/nowhere/history.db", "postgres://nobody@nowhere.invalid/ci", "libsql://nowhere.invalid"}) {
    const Location location = ParseLocation(text);
    ExpectRefused(location.scheme, [&] { OpenStore(location, OpenMode::kRead); });
    ExpectRefused(location.scheme, [&] { SchemaScript(location.scheme, ""); });
  }
}

}  // namespace
}  // namespace flaky
