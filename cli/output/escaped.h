// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_OUTPUT_ESCAPED_H_
#define FLAKY_CLI_OUTPUT_ESCAPED_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "history/escaped.h"

// Texts that Escaped (history/escaped.h) has made harmless, in the columns of a terminal.
namespace flaky {

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
