// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_HTTP_ONE_LINE_H_
#define FLAKY_STORES_HTTP_ONE_LINE_H_

#include <string>
#include <string_view>

namespace flaky::http {

// Returns foreign text in a form that can be shown within a sentence: with blanks instead of control characters, at
// most a few hundred bytes long, without a final full stop, and without the secrets of this process.
std::string FitForOneLine(std::string_view text);

}  // namespace flaky::http

#endif  // FLAKY_STORES_HTTP_ONE_LINE_H_
