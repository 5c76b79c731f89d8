// SPDX-License-Identifier: MIT
#include <simdjson.h>

#include <algorithm>

#include "cli/output/escaped.h"
#include "history/text.h"
#include "stores/http/one_line.h"
#include "stores/turso/base64.h"
#include "tests/fuzz/fuzz.h"

namespace flaky::fuzz {
namespace {

// What a terminal acts on, or what hides a part of the text. As bytes of UTF-8.
constexpr std::string_view kNotPrintable[] = {"\u00AD", "\u115F", "\u1160", "\u180E",    "\u3164", "\uFFA0", "\u061C",
                                              "\u200B", "\u200E", "\u200F", "\u2028",    "\u2029", "\u202A", "\u202B",
                                              "\u202C", "\u202D", "\u202E", "\u2060",    "\u2066", "\u2067", "\u2068",
                                              "\u2069", "\uFEFF", "\uFFF9", "\U000E0001"};

// What CI systems take for the beginning of a command anywhere in a line. A leading `::` is one, too.
constexpr std::string_view kCommands[] = {"##vso[", "##[", "##teamcity[", "<DartMeasurement", "<CTest"};

bool IsC1(std::string_view text, size_t at) {
  return text[at] == '\xC2' && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xA0;
}

void CheckEscaped(std::string_view input) {
  const std::string shown = Escaped(input);
  RequireOneLine(shown);
  Require(IsStorable(shown), "a shown text is valid UTF-8");
  for (size_t at = 0; at < shown.size(); ++at) Require(!IsC1(shown, at), "a shown text has no C1 control");
  for (const std::string_view bad : kNotPrintable) {
    Require(shown.find(bad) == shown.npos, "a shown text has no invisible or direction-changing character");
  }
  for (const std::string_view command : kCommands) {
    Require(shown.find(command) == shown.npos, "a shown text has no command of a CI system");
  }
  Require(!std::string_view(shown).substr(std::min(shown.find_first_not_of(' '), shown.size())).starts_with("::"),
          "a shown text does not begin a command of a CI system");
  Require(Escaped(shown) == shown, "escaping an escaped text changes nothing");
  for (const size_t width : {size_t{1}, size_t{7}, size_t{80}}) {
    Require(DisplayWidth(CutToWidth(shown, width)) <= width, "a cut text fits");
  }
  Require(FirstLine(input).find_first_of("\r\n") == std::string_view::npos, "a line has no line break");
}

void CheckStorable(std::string_view input) {
  const std::string storable = MakeStorable(input);
  Require(IsStorable(storable), "a text can be made storable");
  Require(IsStorable(input) == (storable == input), "a storable text does not change");
  for (const size_t limit : {size_t{0}, size_t{3}, size_t{64}}) {
    const std::string cut = CutTo(storable, limit);
    Require(IsStorable(cut) && cut.size() <= std::max(limit, std::min(limit, storable.size()) + kMaxCutNote),
            "a cut text has at most the limit and the note");
  }

  std::string json;
  AppendJson(json, storable);
  simdjson::dom::parser parser;
  std::string_view read;
  Require(parser.parse(json).get(read) == simdjson::SUCCESS && read == storable, "JSON holds the same text");
}

}  // namespace

// Any text: of a test, of a server.
void CheckInput(std::string_view input) {
  CheckEscaped(input);
  CheckStorable(input);
  RequireOneLine(http::FitForOneLine(input));
  Require(turso::FromBase64(turso::ToBase64(input)) == input, "base64 holds the same bytes");
  static_cast<void>(turso::FromBase64(input));
}

}  // namespace flaky::fuzz
