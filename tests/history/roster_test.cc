// SPDX-License-Identifier: MIT
#include "history/roster.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace flaky {
namespace {

using Names = std::vector<std::string>;

const RosterPtr kFirst = MakeTestList(Names{"A.One", "A.Two"});
const RosterPtr kSecond = MakeTestList(Names{"B.One"});

TEST(TestList, HasOneStoredForm) {
  EXPECT_EQ(kFirst->tests, R"(["A.One","A.Two"])");
  EXPECT_EQ(kFirst->roster_id, ContentId(kFirst->tests));
  EXPECT_EQ(kFirst->roster_id.size(), 32u);
}

TEST(TestList, RoundTripsHostileNames) {
  Names names = {"", "S.\"quoted\"\\", "S.new\nline\ttab\x01", "S.\xC3\xA9", "}", "]", "S.\x7F"};
  std::ranges::sort(names);
  EXPECT_EQ(ParseTestList(MakeTestList(names)->tests), names);
}

TEST(TestList, RefusesEveryPrefix) {
  const std::string tests = MakeTestList(Names{"A.\"\x02", "B"})->tests;
  for (size_t length = 0; length < tests.size(); ++length) {
    EXPECT_THROW(ParseTestList(std::string_view(tests).substr(0, length)), std::invalid_argument) << length;
  }
}

TEST(TestList, RefusesTextsThatItDoesNotWrite) {
  for (const char* text : {"[]", R"(["a"] )", R"([ "a"])", R"(["a",])", R"(["b","a"])", R"(["a","a"])", R"(["\q"])",
                           R"(["\u00zz"])", R"(["\u0041"])", R"(["\u000a"])", R"([1])", R"({"a":1})"}) {
    EXPECT_THROW(ParseTestList(text), std::invalid_argument) << text;
  }
}

TEST(Lists, AreCutAtTheSamePlacesAfterAChange) {
  Names names;
  for (int suite = 100; suite < 350; ++suite) {
    for (int test = 10; test < 30; ++test)
      names.push_back("Suite" + std::to_string(suite) + ".Test" + std::to_string(test));
  }
  const auto ids = [](const Names& all) {
    std::set<std::string> lists;
    Names joined;
    for (const auto& list : CutIntoLists(all)) {
      lists.insert(MakeTestList(list)->roster_id);
      joined.insert(joined.end(), list.begin(), list.end());
    }
    EXPECT_EQ(joined, all);
    return lists;
  };
  const std::set<std::string> before = ids(names);
  EXPECT_GT(before.size(), 3u);
  EXPECT_LT(before.size(), 20u);
  names.insert(std::ranges::lower_bound(names, "Suite200.New"), "Suite200.New");
  const std::set<std::string> after = ids(names);
  std::vector<std::string> changed;
  std::ranges::set_difference(after, before, std::back_inserter(changed));
  EXPECT_EQ(changed.size(), 1u);
}

TEST(Lists, AreNeverLong) {
  Names names;
  for (int test = 100'000; test < 120'000; ++test) names.push_back("Suite.Test" + std::to_string(test));
  for (const auto& list : CutIntoLists(names)) EXPECT_LE(list.size(), 4096u);
  const Names large = {std::string(300'000, 'a'), std::string(300'000, 'b')};
  EXPECT_EQ(CutIntoLists(large).size(), 2u);
  EXPECT_TRUE(CutIntoLists({}).empty());
}

TEST(Roster, HasOneStoredForm) {
  const std::vector<RosterPiece> pieces = {
      {"one", kFirst->roster_id, "1s"}, {"one", kSecond->roster_id, "1"}, {"two", kFirst->roster_id, "-1"}};
  const RosterPtr roster = MakeRoster(pieces);
  const std::vector<RosterPtr> lists = {kSecond, kFirst};
  EXPECT_EQ(roster->tests, R"({"one":[[")" + kFirst->roster_id + R"(","1s"],[")" + kSecond->roster_id +
                               R"(","1"]],"two":[[")" + kFirst->roster_id + R"(","-1"]]})");
  EXPECT_EQ(roster->roster_id, ContentId(roster->tests));
  std::vector<std::string> ids = {kFirst->roster_id, kSecond->roster_id};
  std::ranges::sort(ids);
  EXPECT_EQ(ListsOf(roster->tests), ids);
  EXPECT_NO_THROW(CheckRoster(*roster, lists));
  EXPECT_EQ(ParseRoster(roster->tests), pieces);
  EXPECT_EQ(TestsOf(*roster, lists),
            (std::vector<RosterTest>{
                {"one", "A.One", true}, {"one", "A.Two", false}, {"one", "B.One", true}, {"two", "A.Two", true}}));
  EXPECT_EQ(MakeRoster({})->tests, "{}");
  EXPECT_TRUE(TestsOf(*MakeRoster({}), {}).empty());
}

TEST(Roster, RefusesEveryPrefix) {
  const RosterPtr roster = MakeRoster(std::vector<RosterPiece>{{"a\"\x02", kFirst->roster_id, "1-"}});
  for (size_t length = 0; length < roster->tests.size(); ++length) {
    EXPECT_THROW(ParseRoster(std::string_view(roster->tests).substr(0, length)), std::invalid_argument) << length;
  }
}

TEST(Roster, RefusesTextsThatItDoesNotWrite) {
  const std::string id = '"' + kFirst->roster_id + '"';
  for (const std::string& text : std::vector<std::string>{
           "[]", "{} ", R"({"a":[]})", R"({"a":[[)" + id + R"(,"11"],]})", R"({"a":[[)" + id + R"(,"--"]]})",
           R"({"a":[[)" + id + R"(,"12"]]})", R"({"a":[[)" + id + R"(,""]]})", R"({"a":[["short","11"]]})",
           R"({"b":[[)" + id + R"(,"11"]],"a":[[)" + id + R"(,"11"]]})",
           R"({"a":[[)" + id + R"(,"11"]],"a":[[)" + id + R"(,"11"]]})"}) {
    EXPECT_THROW(ParseRoster(text), std::invalid_argument) << text;
  }
}

TEST(Roster, RefusesListsThatDoNotFit) {
  const auto check = [](const std::vector<RosterPiece>& pieces, std::vector<RosterPtr> lists) {
    CheckRoster(*MakeRoster(pieces), lists);
  };
  const std::string& first = kFirst->roster_id;
  const std::string& second = kSecond->roster_id;
  EXPECT_NO_THROW(check({{"one", first, "11"}}, {kSecond, kFirst}));
  EXPECT_THROW(check({{"one", first, "11"}}, {kSecond}), std::invalid_argument) << "missing";
  const auto damaged = std::make_shared<const Roster>(Roster{first, R"(["A.One","A.Tvo)"});
  EXPECT_THROW(check({{"one", first, "11"}}, {damaged}), std::invalid_argument) << "damaged";
  EXPECT_THROW(check({{"one", first, "1"}}, {kFirst}), std::invalid_argument) << "too few marks";
  EXPECT_THROW(check({{"one", second, "1"}, {"one", first, "11"}}, {kFirst, kSecond}), std::invalid_argument)
      << "out of order";
  EXPECT_NO_THROW(check({{"one", second, "1"}, {"two", first, "11"}}, {kFirst, kSecond}));
}

}  // namespace
}  // namespace flaky
