// SPDX-License-Identifier: MIT
#include "history/text.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace flaky {
namespace {

using namespace std::string_literals;

TEST(Storable, AcceptsUtf8) {
  for (const std::string& text :
       {""s, "plain"s, "\xC3\xA9"s, "\xE2\x82\xAC"s, "\xF0\x9F\x98\x80"s, "\xEF\xBF\xBF"s, "\xED\x9F\xBF"s,
        "\xF4\x8F\xBF\xBF"s, "\x01\x7F\n"s, "exactly8"s, "more than eight \xC3\xA9"s}) {
    EXPECT_TRUE(IsStorable(text)) << testing::PrintToString(text);
    EXPECT_EQ(MakeStorable(text), text);
  }
}

TEST(Storable, ReplacesEachByteThatIsNotUtf8) {
  const std::string r = "\xEF\xBF\xBD";
  const struct {
    std::string text, storable;
  } cases[] = {
      {"\0"s, r},
      {"a\0b"s, "a" + r + "b"},
      {"\x80", r},
      {"\xFF\xFE", r + r},
      {"\xC0\x80", r + r},                  // overlong
      {"\xE0\x9F\xBF", r + r + r},          // overlong
      {"\xED\xA0\x80", r + r + r},          // a surrogate
      {"\xF4\x90\x80\x80", r + r + r + r},  // past U+10FFFF
      {"\xF5\x80\x80\x80", r + r + r + r},
      {"cut \xE2\x82", "cut " + r + r},
      {"\xC3", r},
      {"eight by\xFFtes", "eight by" + r + "tes"},
      {"1234567\0"s, "1234567" + r},
  };
  for (const auto& c : cases) {
    EXPECT_FALSE(IsStorable(c.text)) << testing::PrintToString(c.text);
    EXPECT_EQ(MakeStorable(c.text), c.storable) << testing::PrintToString(c.text);
  }
}

TEST(Storable, MakesAnyTextStorable) {
  std::mt19937 random(11);
  for (int i = 0; i < 20'000; ++i) {
    std::string text(random() % 24, '\0');
    for (char& c : text) c = static_cast<char>(random() % 3 == 0 ? random() : "az\xC3\xA9\xE2\x82\xAC"[random() % 7]);
    const std::string storable = MakeStorable(text);
    ASSERT_TRUE(IsStorable(storable));
    ASSERT_EQ(MakeStorable(storable), storable);
    if (IsStorable(text)) {
      ASSERT_EQ(storable, text);
    }
  }
}

TEST(CutTo, CutsBetweenCharactersAndNotesHowMuch) {
  EXPECT_EQ(CutTo("abc", 3), "abc");
  EXPECT_EQ(CutTo("abcd", 3), "abc\n[flaky: 1 more bytes were cut]");
  EXPECT_EQ(CutTo("a\xE2\x82\xAC", 3), "a\n[flaky: 3 more bytes were cut]");
  EXPECT_EQ(CutTo("a\xE2\x82\xAC"
                  "b",
                  4),
            "a\xE2\x82\xAC\n[flaky: 1 more bytes were cut]");
  EXPECT_EQ(CutTo("\xE2\x82\xAC", 1), "\n[flaky: 3 more bytes were cut]");
}

TEST(AppendJson, EscapesWhatJsonRequires) {
  std::string out = "x";
  AppendJson(out, "a\"b\\c\n\r\t\x01\x1F/\xC3\xA9");
  EXPECT_EQ(out, "x\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f/\xC3\xA9\"");
}

}  // namespace
}  // namespace flaky
