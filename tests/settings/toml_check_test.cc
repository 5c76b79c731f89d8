// SPDX-License-Identifier: MIT
#include "settings/toml_check.h"

#include <gmock/gmock.h>

#include <string>

namespace flaky {
namespace {

using testing::HasSubstr;

// "LINE: what", or "fine".
std::string ProblemOf(std::string_view text) {
  const auto problem = FindTomlProblem(text);
  return problem ? std::to_string(problem->line) + ": " + problem->what : "fine";
}

TEST(TomlCheckTest, TakesWhatFilesOfSettingsHave) {
  EXPECT_EQ(ProblemOf(""), "fine");
  EXPECT_EQ(ProblemOf("\xEF\xBB\xBF# für alle\r\nproject = \"größer \\\" [ \\\\\"\r\n"), "fine");
  EXPECT_EQ(ProblemOf("a = '\\' # ]\nb = \"\"\nc = ''\n\t[d.\"e.f\"]\n [[g]]\nh = [\n 1.5, {i.j = 2}\n]\n"), "fine");
  EXPECT_EQ(ProblemOf("a = 1\n  \n# [\nb = 'c'"), "fine") << "the last line needs no line break";
}

TEST(TomlCheckTest, NamesTheLine) {
  EXPECT_EQ(ProblemOf("a = 1\n\nb = \x01"), "3: has a control character");
  EXPECT_EQ(ProblemOf("a = 1\r\nb = 2\r"), "2: has a control character") << "a carriage return alone";
  EXPECT_EQ(ProblemOf("# \x7f"), "1: has a control character");
}

// The library has no defined effect for these. The first two are known faults of it.
TEST(TomlCheckTest, RefusesWhatTheLibraryDoesNotHandle) {
  EXPECT_THAT(ProblemOf("[&"), HasSubstr("name of a table"));
  EXPECT_THAT(ProblemOf("ŝ"), HasSubstr("not ASCII"));
  EXPECT_THAT(ProblemOf("[\x01"), HasSubstr("control character"));
  for (const char* header : {"[", "[[", "[ ", "[ [a]]", "[.a]", "[[[a]]]", "[=", "[#", "[\n]"}) {
    EXPECT_THAT(ProblemOf(header), HasSubstr("name of a table")) << header;
  }
  for (const char* text : {"a = 1 é", "a é = 1", "a = [é]", "é = 1", "[aé]", "a = 1\xC2\xA0"}) {
    EXPECT_THAT(ProblemOf(text), HasSubstr("not ASCII")) << text;
  }
  for (const char* text : {"a = [}", "a = {]", "a = }", "]", "a = [[1}]", "[a}"}) {
    EXPECT_THAT(ProblemOf(text), HasSubstr("closes nothing")) << text;
  }
}

TEST(TomlCheckTest, RefusesWhatIsNotUtf8) {
  for (const std::string& text : {std::string("# \xff"), std::string("a = '\xed\xa0\x80'"), std::string("a\0= 1", 5)}) {
    EXPECT_THAT(ProblemOf(text), HasSubstr("not valid UTF-8")) << text;
  }
}

TEST(TomlCheckTest, RefusesTextsThatDoNotEndOnTheirLine) {
  EXPECT_THAT(ProblemOf("a = \"b\nc\""), HasSubstr("1: has a text without"));
  EXPECT_THAT(ProblemOf("a = 'b"), HasSubstr("without its closing quote"));
  EXPECT_THAT(ProblemOf("a = \"b\\\""), HasSubstr("without its closing quote"));
  EXPECT_THAT(ProblemOf("a = \"\"\"\\\n  é\"\"\""), HasSubstr("over several lines"));
  EXPECT_THAT(ProblemOf("a = '''b'''"), HasSubstr("over several lines"));
}

// The library parses these recursively, or builds one table in the other, and would overflow the stack.
// The library stops at the word, and then takes the rest of it for characters outside of quotes.
TEST(TomlCheckTest, QuotesAreNotInTheMiddleOfAWord) {
  EXPECT_THAT(ProblemOf("e = +\"\xC3\xA9\""), HasSubstr("in the middle of a word"));
  EXPECT_THAT(ProblemOf("e = \"a\"\"\xC3\xA9\""), HasSubstr("in the middle of a word"));
  EXPECT_THAT(ProblemOf("e = +\\\"\xC3\xA9\""), HasSubstr("backslash outside of quotes"));
  EXPECT_THAT(ProblemOf("e = \"\\\xC3\xA9\""), HasSubstr("unknown escape"));
  EXPECT_EQ(ProblemOf("\"k\".'l' = [ \"\xC3\xA9\", '\\' ]"), "fine");
  EXPECT_EQ(ProblemOf("e = \"\\u00e9\\\\\""), "fine");
}

TEST(TomlCheckTest, LimitsTheDepth) {
  const auto repeated = [](const std::string& text, size_t times) {
    std::string all;
    for (size_t i = 0; i < times; ++i) all += text;
    return all;
  };
  EXPECT_EQ(ProblemOf("a = " + repeated("[", kDeepestToml) + repeated("]", kDeepestToml)), "fine");
  EXPECT_THAT(ProblemOf("a = " + repeated("[", kDeepestToml + 1)), HasSubstr("nested brackets"));
  EXPECT_THAT(ProblemOf("a = [" + repeated("\n[", kDeepestToml)), HasSubstr("nested brackets"));
  EXPECT_THAT(ProblemOf("a = " + repeated("{a=", kDeepestToml + 1)), HasSubstr("nested brackets"));
  EXPECT_EQ(ProblemOf("a" + repeated(".a", kDeepestToml) + " = 1"), "fine");
  EXPECT_THAT(ProblemOf("a" + repeated(".a", kDeepestToml + 1) + " = 1"), HasSubstr("dots"));
  EXPECT_THAT(ProblemOf("[a" + repeated(".a", 400'000) + "]"), HasSubstr("dots"));
  EXPECT_EQ(ProblemOf("a = [" + repeated("1.5, ", 1000) + "]"), "fine") << "dots of several values";
}

}  // namespace
}  // namespace flaky
