#include "cli/output/escaped.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "history/text.h"

namespace flaky {
namespace {

TEST(EscapedTest, LeavesReadableTextAlone) {
  for (const std::string text : {"", "Suite.Test/0", "größe ≤ 7 µs", "日本語", "🎉", "C:\\path", "tab-less"}) {
    EXPECT_EQ(Escaped(text), text);
  }
}

TEST(EscapedTest, EscapesWhatATerminalInterprets) {
  EXPECT_EQ(Escaped("a\nb\rc\td"), "a\\nb\\rc\\td");
  EXPECT_EQ(Escaped("\x1b[31m"), "\\x1b[31m");
  EXPECT_EQ(Escaped(std::string_view("\0\x7f", 2)), "\\x00\\x7f");
  EXPECT_EQ(Escaped("\u009b31m"), "\\u009b31m") << "the C1 form of an escape sequence";
  EXPECT_EQ(Escaped("\u202eabc\u2066"), "\\u202eabc\\u2066");
  EXPECT_EQ(Escaped("a\u200bb\ufeff"), "a\\u200bb\\ufeff");
  EXPECT_EQ(Escaped("\U000E0041"), "\\U000e0041");
}

TEST(EscapedTest, EscapesInvalidUtf8) {
  EXPECT_EQ(Escaped("\xff\xfe"), "\\xff\\xfe");
  EXPECT_EQ(Escaped("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(Escaped("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(Escaped("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond Unicode";
  EXPECT_EQ(Escaped("\xe2\x82"), "\\xe2\\x82") << "cut off";
}

TEST(EscapedTest, ResultIsHarmlessForAnyInput) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string noise(random() % 40, ' ');
    for (char& c : noise) c = static_cast<char>(random());
    const std::string printable = Escaped(noise);
    ASSERT_TRUE(IsStorable(printable));
    for (const char c : printable) ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
    ASSERT_EQ(Escaped(printable), printable);
    ASSERT_LE(DisplayWidth(CutToWidth(printable, 10)), 10U);
  }
}

TEST(DisplayWidthTest, CountsColumns) {
  EXPECT_EQ(DisplayWidth(""), 0U);
  EXPECT_EQ(DisplayWidth("abc"), 3U);
  EXPECT_EQ(DisplayWidth("größe"), 5U);
  EXPECT_EQ(DisplayWidth("日本"), 4U);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1U);
  EXPECT_EQ(DisplayWidth("🎉"), 2U);
  EXPECT_EQ(DisplayWidth("▁█…"), 3U);
}

TEST(CutToWidthTest, CutsAtCharacters) {
  EXPECT_EQ(CutToWidth("abcdef", 6), "abcdef");
  EXPECT_EQ(CutToWidth("abcdef", 5), "abcd…");
  EXPECT_EQ(CutToWidth("日本語", 5), "日本…");
  EXPECT_EQ(CutToWidth("日本語", 4), "日…") << "no half character";
  EXPECT_EQ(CutToWidth("abc", 1), "…");
}

TEST(FirstLineTest, IsTheFirstLineThatIsNotEmpty) {
  EXPECT_EQ(FirstLine("one\ntwo"), "one");
  EXPECT_EQ(FirstLine("one\r\ntwo"), "one");
  EXPECT_EQ(FirstLine("\n\r\none"), "one");
  EXPECT_EQ(FirstLine("one"), "one");
  EXPECT_EQ(FirstLine("\n\n"), "");
  EXPECT_EQ(FirstLine(""), "");
}

}  // namespace
}  // namespace flaky
