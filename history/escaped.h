// SPDX-License-Identifier: MIT
#ifndef FLAKY_HISTORY_ESCAPED_H_
#define FLAKY_HISTORY_ESCAPED_H_

#include <cstddef>
#include <string>
#include <string_view>

// Makes foreign text (names of tests, messages of tests and servers, paths, ids) harmless for whatever reads the output
// of the program: a terminal, and the log of a CI system, which obeys commands in it. These functions are the only
// place that decides what is harmless; all output that contains foreign text goes through one of them.
//
// Escaped are: control characters, characters that change the direction of writing, line separators, characters that
// show nothing (Unicode's Default_Ignorable_Code_Point and a few more), which some readers drop, and the one character
// that makes the beginning of a command of CI systems or of ctest: `::`, `##`, `<DartMeasurement`, `<CTest`. `::` stays
// if a name is before it, as in `ns::Type`, and no name of a command after it; `##` stays before a blank and at the
// end.
namespace flaky {

// Returns the text in one line, with escapes such as `\n`, `\x1b`, `\u202e` and `:\x3a`. Bytes that are not UTF-8 are
// escaped, too. A backslash is not, so the result is for people. Escaping an escaped text changes nothing.
std::string Escaped(std::string_view text);

// Returns JSON of the same value, with `\u` escapes within its texts. Line ends between its elements stay.
// Precondition: valid JSON.
std::string EscapedJson(std::string_view json);

// Appends the text as a JSON string in that form, quotes included. Precondition: IsStorable(text) (history/text.h).
void AppendEscapedJson(std::string& out, std::string_view text);

// A character of UTF-8 as RFC 3629 defines it. A byte that does not begin one is an invalid character.
struct Character {
  char32_t code = 0;
  size_t length = 1;  // in bytes
  bool valid = false;
};

// Returns the first character of a text that is not empty.
Character FirstCharacter(std::string_view text);

}  // namespace flaky

#endif  // FLAKY_HISTORY_ESCAPED_H_
