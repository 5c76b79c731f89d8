// SPDX-License-Identifier: MIT
#include "cli/output/escaped.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace flaky {
namespace {

TEST(CutToWidthTest, FitsForAnyInput) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string noise(random() % 40, ' ');
    for (char& c : noise) c = static_cast<char>(random());
    ASSERT_LE(DisplayWidth(CutToWidth(Escaped(noise), 10)), 10U);
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
