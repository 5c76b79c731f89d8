// SPDX-License-Identifier: MIT
#include "history/escaped.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>

#include "history/text.h"

namespace flaky {
namespace {

std::string JsonOf(std::string_view text) {
  std::string json;
  AppendEscapedJson(json, text);
  return json;
}

TEST(EscapedTest, LeavesReadableTextAlone) {
  for (const std::string text : {"",
                                 "Suite.Test/0",
                                 "größe ≤ 7 µs",
                                 "日本語",
                                 "🎉",
                                 "C:\\path",
                                 "tab-less",
                                 "a: b",
                                 "key:value:",
                                 "#1",
                                 "# title",
                                 "## title",
                                 "a ##",
                                 "#######",
                                 "a < b",
                                 "<C>",
                                 "std::vector<int>::size()",
                                 "N::T<::",
                                 "10:30:05",
                                 "한국어",
                                 "العربية"}) {
    EXPECT_EQ(Escaped(text), text == "N::T<::" ? "N::T<:\\x3a" : text);
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

TEST(EscapedTest, EscapesWhatShowsNothing) {
  for (const std::string text :
       {"\u00ad",     "\u034f",     "\u061c",     "\u115f",     "\u1160",     "\u17b4",     "\u180b",
        "\u180e",     "\u180f",     "\u200d",     "\u2060",     "\u206f",     "\u2800",     "\u3164",
        "\ufdd0",     "\ufe0f",     "\uffa0",     "\ufff9",     "\uffff",     "\U0001bca0", "\U0001d159",
        "\U0001d173", "\U0001fffe", "\U000e0001", "\U000e0100", "\U000e0fff", "\U0010ffff"}) {
    EXPECT_TRUE(Escaped(text).starts_with("\\")) << Escaped(text);
    EXPECT_TRUE(JsonOf(text).starts_with("\"\\u")) << JsonOf(text);
  }
  for (const std::string text : {"\u00ac", "\u00ae", "\u115e", "\u1161", "\u3163", "\u3165", "\uffa1", "\uf8ff"}) {
    EXPECT_EQ(Escaped(text), text) << "the next character";
  }
}

TEST(EscapedTest, EscapesInvalidUtf8) {
  EXPECT_EQ(Escaped("\xff\xfe"), "\\xff\\xfe");
  EXPECT_EQ(Escaped("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(Escaped("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(Escaped("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond Unicode";
  EXPECT_EQ(Escaped("\xe2\x82"), "\\xe2\\x82") << "cut off";
}

TEST(EscapedTest, BreaksCommands) {
  const struct {
    std::string text, escaped;
  } kCases[] = {
      {"::error::x", ":\\x3aerror::x"},
      {"  ::add-path::/evil", "  :\\x3aadd-path::/evil"},
      {"\u3000::x", "\u3000:\\x3ax"},
      {"\u00a0::x", "\u00a0:\\x3ax"},
      {"\u00ad::x", "\\u00ad:\\x3ax"},
      {"a ::x::y", "a :\\x3ax::y"},
      {"a::error::y", "a:\\x3aerror::y"},
      {"a::Set-Output name=b::y", "a:\\x3aSet-Output name=b::y"},
      {"a::errors::y", "a::errors::y"},
      {"a::warning", "a:\\x3awarning"},
      {":::x::", ":\\x3a:x::"},
      {"::::", ":\\x3a:\\x3a"},
      {":", "\\x3a"},
      {"  :", "  \\x3a"},
      {"##vso[task.setvariable variable=PATH]/evil", "#\\x23vso[task.setvariable variable=PATH]/evil"},
      {"a##[add-path]b", "a#\\x23[add-path]b"},
      {"x ##teamcity[testFailed]", "x #\\x23teamcity[testFailed]"},
      {"###[group]", "#\\x23#[group]"},
      {"#\u200b#[group]", "#\\u200b#[group]"},
      {"##v\u00adso[x]", "#\\x23v\\u00adso[x]"},
      {"<DartMeasurementFile name=\"a\">", "\\x3cDartMeasurementFile name=\"a\">"},
      {"a<CTestDetails>", "a\\x3cCTestDetails>"},
  };
  for (const auto& [text, escaped] : kCases) {
    EXPECT_EQ(Escaped(text), escaped);
    EXPECT_EQ(Escaped(escaped), escaped);
  }
}

TEST(EscapedTest, ResultIsHarmlessForAnyInput) {
  std::mt19937 random(1);
  for (int round = 0; round < 4000; ++round) {
    std::string noise(random() % 40, ' ');
    for (char& c : noise) c = round % 2 == 0 ? static_cast<char>(random()) : "::##[< vso\xad\xc2\x9b"[random() % 13];
    const std::string escaped = Escaped(noise);
    ASSERT_TRUE(IsStorable(escaped));
    for (const char c : escaped) ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
    for (const std::string_view part : {" ::", "##v", "##[", "<CTest", "\u009b", "\u00ad"}) {
      ASSERT_EQ(escaped.find(part), std::string::npos) << escaped;
    }
    ASSERT_FALSE(escaped.starts_with("::")) << escaped;
    ASSERT_EQ(Escaped(escaped), escaped);
  }
}

TEST(EscapedJsonTest, EscapesWithinTextsOnly) {
  EXPECT_EQ(EscapedJson("{\n  \"a\": [1, \"\u009b\u202e\"]\n}\n"), "{\n  \"a\": [1, \"\\u009b\\u202e\"]\n}\n");
  EXPECT_EQ(EscapedJson(R"({"::a":"##[b]","c":":","d":"<CTest"})"),
            R"({":\u003aa":"#\u0023[b]","c":":","d":"\u003cCTest"})");
  EXPECT_EQ(EscapedJson("[\"\U000E0041\x7f\"]"), R"(["\udb40\udc41\u007f"])");
  EXPECT_EQ(EscapedJson(R"(["ä::b","größe 🎉","\\##x\""])"), R"(["ä:\u003ab","größe 🎉","\\#\u0023x\""])");
}

TEST(EscapedJsonTest, AppendsATextAsAString) {
  EXPECT_EQ(JsonOf("plain \"text\"\n"), R"("plain \"text\"\n")");
  EXPECT_EQ(JsonOf("##vso[x]\\##["), R"("#\u0023vso[x]\\#\u0023[")");
  EXPECT_EQ(JsonOf("\u0085\u2028"), R"("\u0085\u2028")");
}

}  // namespace
}  // namespace flaky
