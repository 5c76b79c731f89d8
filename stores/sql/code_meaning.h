// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SQL_CODE_MEANING_H_
#define FLAKY_STORES_SQL_CODE_MEANING_H_

#include <algorithm>
#include <span>
#include <string_view>

#include "stores/error.h"

namespace flaky {

// What the error codes of a server that begin with `prefix` mean to the caller of a store.
struct CodeMeaning {
  std::string_view prefix;
  ErrorKind kind;
  const char* advice = "";  // added to the server's own words
};

// Returns the first entry whose prefix `code` has, or null.
inline const CodeMeaning* MeaningOf(std::span<const CodeMeaning> meanings, std::string_view code) {
  const auto found =
      std::ranges::find_if(meanings, [&](const CodeMeaning& each) { return code.starts_with(each.prefix); });
  return found == meanings.end() ? nullptr : &*found;
}

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_CODE_MEANING_H_
