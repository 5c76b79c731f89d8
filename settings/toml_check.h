// SPDX-License-Identifier: MIT
#ifndef FLAKY_SETTINGS_TOML_CHECK_H_
#define FLAKY_SETTINGS_TOML_CHECK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flaky {

struct TomlProblem {
  int64_t line = 0;  // from 1
  std::string what;  // without any of the text, which may contain a secret
};

// Returns why a text must not be given to the TOML library; nullopt if it may be. A stranger may have written the text,
// and some texts have no defined effect in the library, or overflow its stack. So the library gets only these: valid
// UTF-8; no control characters; only ASCII outside of texts and comments; texts that end on their line; brackets that
// match, at most kDeepestToml deep; keys with at most kDeepestToml dots; a name after the `[` of a table. Everything
// else is not TOML or, like texts over several lines, is in no file of settings. The library finds the other errors.
std::optional<TomlProblem> FindTomlProblem(std::string_view text);

inline constexpr size_t kDeepestToml = 16;

}  // namespace flaky

#endif  // FLAKY_SETTINGS_TOML_CHECK_H_
