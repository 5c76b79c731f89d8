#ifndef FLAKY_CLI_OUTPUT_ESCAPED_H_
#define FLAKY_CLI_OUTPUT_ESCAPED_H_

#include <cstddef>
#include <string>
#include <string_view>

// Text of strangers (names of tests, messages, paths) made fit for a terminal.
namespace flaky {

// The text in one line that does what it looks like: control characters, characters that change the direction of
// writing, line separators and bytes that are not UTF-8 are shown as escapes (`\n`, `\x1b`, `\u202e`).
std::string Escaped(std::string_view text);

// The columns that a terminal gives to a printable text: two for East Asian wide characters, none for combining ones.
size_t DisplayWidth(std::string_view text);

// A printable text cut to at most `width` columns, the last of them `…` where something was cut.
std::string CutToWidth(std::string_view text, size_t width);

// The text up to its first line break; the rest of an empty first line counts too, so a message is never shown as
// nothing.
std::string_view FirstLine(std::string_view text);

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_ESCAPED_H_
