#include <gtest/gtest.h>

#include <string>

#include "recorder/fixed_text.h"
#include "recorder/json_text.h"

namespace flaky_recorder {
namespace {

std::string Escaped(std::string_view text) {
  std::string out(EscapedSize(text), '?');
  EXPECT_EQ(AppendEscaped(out.data(), text), out.data() + out.size()) << "size and text differ";
  return out;
}

struct Case {
  std::string_view raw, escaped;
};

TEST(JsonText, EscapesWhatJsonRequires) {
  using namespace std::literals;
  for (const auto& [raw, escaped] : {
           Case{""sv, ""sv},
           Case{"plain text \x7f"sv, "plain text \x7f"sv},
           Case{"\"\\/"sv, "\\\"\\\\/"sv},
           Case{"a\nb\tc\r\x01\x1f"sv, "a\\nb\\u0009c\\u000d\\u0001\\u001f"sv},
           Case{"e\xcc\x81 \xe2\x82\xac \xf0\x9f\x98\x80"sv, "e\xcc\x81 \xe2\x82\xac \xf0\x9f\x98\x80"sv},
       }) {
    EXPECT_EQ(Escaped(raw), escaped);
  }
}

TEST(JsonText, ReplacesInvalidUtf8ByMaximalSubparts) {
  using namespace std::literals;
  const std::string r(kReplacement);
  struct {
    std::string_view raw;
    std::string escaped;
  } const cases[] = {
      {"\xff\xfe"sv, r + r},
      {"a\0b"sv, "a" + r + "b"},
      {"\x80z"sv, r + "z"},
      {"\xc0\xaf"sv, r + r},                                            // overlong
      {"\xe0\x80\x80"sv, r + r + r},                                    // overlong
      {"\xed\xa0\x80"sv, r + r + r},                                    // a surrogate
      {"\xf4\x90\x80\x80"sv, r + r + r + r},                            // above U+10FFFF
      {"\xe2\x82"sv, r},                                                // cut at the end
      {"\xe2\x82x"sv, r + "x"},                                         // cut in the middle
      {"\xf0\x9f\x98q"sv, r + "q"},                                     //
      {"\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41"sv, r + r + r + r + "A"},  // the example of the Unicode standard
  };
  for (const auto& [raw, escaped] : cases) EXPECT_EQ(Escaped(raw), escaped);
}

TEST(JsonText, StopsAtALimitWithoutSplittingAnything) {
  const std::string text = "ab\n\xe2\x82\xac\"\x01z";
  const std::string whole = Escaped(text);
  for (size_t limit = 0; limit <= whole.size(); ++limit) {
    std::string out(limit, '?');
    const size_t size = static_cast<size_t>(AppendEscapedUpTo(out.data(), text, limit) - out.data());
    ASSERT_LE(size, limit);
    EXPECT_EQ(out.substr(0, size), whole.substr(0, size));
    for (const size_t inside : {3, 5, 6, 8, 10, 11, 12, 13, 14}) EXPECT_NE(size, inside);
  }
}

TEST(JsonText, CutsBetweenCharacters) {
  const std::string euros = "\xe2\x82\xac\xe2\x82\xac";
  EXPECT_EQ(CutText(euros, 6), euros);
  EXPECT_EQ(CutText(euros, 5), euros.substr(0, 3));
  EXPECT_EQ(CutText(euros, 4), euros.substr(0, 3));
  EXPECT_EQ(CutText(euros, 3), euros.substr(0, 3));
  EXPECT_EQ(CutText(std::string(10, '\x80'), 6).size(), 3u) << "at most one character's length is cut off";
}

TEST(FixedText, DropsAndRemembersWhatDoesNotFit) {
  FixedText<8> text;
  text += "1234";
  EXPECT_TRUE(text.complete());
  text += "5678";
  EXPECT_FALSE(text.complete());
  EXPECT_STREQ(text.c_str(), "1234567");
  text.Clear();
  EXPECT_TRUE(text.complete());
  EXPECT_EQ(text.view(), "");
}

TEST(FixedText, WritesNumbers) {
  char buffer[20];
  EXPECT_EQ(DecimalText(0, buffer), "0");
  EXPECT_EQ(DecimalText(INT64_MIN, buffer), "-9223372036854775808");
}

}  // namespace
}  // namespace flaky_recorder
