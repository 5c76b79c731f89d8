#ifndef FLAKY_CLI_OUTPUT_ESCAPED_H_
#define FLAKY_CLI_OUTPUT_ESCAPED_H_

#include <cstddef>
#include <string>
#include <string_view>

// Makes untrusted text (names of tests, messages, paths) safe for a terminal.
namespace flaky {

// Returns the text in one line. Control characters, characters that change the direction of writing, line separators
// and bytes that are not UTF-8 are written as escapes (`\n`, `\x1b`, `\u202e`).
std::string Escaped(std::string_view text);

// Returns the number of terminal columns of an escaped text: two for East Asian wide characters, none for combining
// ones.
size_t DisplayWidth(std::string_view text);

// Returns an escaped text, cut to at most `width` columns; the last one is `…` if the text was cut.
std::string CutToWidth(std::string_view text, size_t width);

// Returns the text up to its first line break, after any leading line breaks, so that a message is never shown as an
// empty text.
std::string_view FirstLine(std::string_view text);

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_ESCAPED_H_
