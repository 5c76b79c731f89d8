// SPDX-License-Identifier: MIT
#include "history/roster.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace flaky {
namespace {

TEST(Roster, HasOneStoredForm) {
  const RosterPtr roster = MakeRoster({{"B.Two", {2, 1}}, {"A.One", {1, 0}}, {"C.Never", {0, 1}}});
  EXPECT_EQ(roster->tests, R"({"A.One":1,"B.Two":[2,1],"C.Never":[0,1]})");
  EXPECT_EQ(roster->roster_id, RosterId(roster->tests));
  EXPECT_EQ(roster->roster_id.size(), 32u);
  EXPECT_EQ(MakeRoster({})->tests, "{}");
}

TEST(Roster, RoundTripsHostileNames) {
  const RosterEntries entries = {{"", {1, 0}},
                                 {"S.\"quoted\"\\", {3, 0}},
                                 {"S.new\nline\ttab\x01", {0, 2}},
                                 {"S.\xC3\xA9", {1, 1}},
                                 {"}", {1, 0}}};
  EXPECT_EQ(ParseRoster(MakeRoster(entries)->tests), entries);
}

TEST(Roster, RefusesEveryPrefix) {
  const std::string tests = MakeRoster({{"A.\"\x02", {12, 0}}, {"B", {1, 3}}})->tests;
  for (size_t length = 0; length < tests.size(); ++length) {
    EXPECT_THROW(ParseRoster(std::string_view(tests).substr(0, length)), std::invalid_argument) << length;
  }
  EXPECT_NO_THROW(ParseRoster(tests));
}

TEST(Roster, RefusesInvalidTexts) {
  for (const char* text :
       {"{} ", "[]", R"({"a":-1})", R"({"a":1.5})", R"({"a":1,})", R"({"a":1,"a":2})", R"({"a":[1]})",
        R"({"a":[1,2,3]})", R"({"\q":1})", R"({"\u00zz":1})", R"({"\u0041":1})", R"({"a":99999999999999999999})"}) {
    EXPECT_THROW(ParseRoster(text), std::invalid_argument) << text;
  }
}

}  // namespace
}  // namespace flaky
