// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_SETTING_TEXT_H_
#define FLAKY_RECORDER_SETTING_TEXT_H_

#include <cstddef>
#include <string_view>

#include "secret_text.h"

// How the text of a setting is read before its meaning is. The `flaky` program uses this file, too (history/masked.h).
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Returns the text without the blanks and line ends around it, and without quotes around all of it: files of variables,
// such as Docker's, keep both.
inline std::string_view Unwrapped(std::string_view text) {
  const auto trim = [&] {
    while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
    while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  };
  trim();
  while (text.size() >= 2 && text.front() == text.back() && (text.front() == '"' || text.front() == '\'')) {
    text = text.substr(1, text.size() - 2);
    trim();
  }
  return text;
}

// Returns true if the text is, or was meant to be, the address of a server or a secret, so that it is neither a name
// nor the path of a file, and must not be shown.
inline bool LooksLikeAddress(std::string_view text) {
  if (text.find("://") != text.npos || MaskedSize(text) < text.size()) return true;
  // `USER@HOST` and `TOKEN@HOST`, but not `@scope/name` and not a path with an @.
  const std::size_t at = text.find('@');
  if (at != text.npos && at > 0 && text.substr(0, at).find('/') == text.npos) return true;
  for (const std::string_view word : {"postgres", "postgresql", "psql", "jdbc", "libsql", "http", "https", "turso",
                                      "supabase", "mysql", "mariadb", "wss", "ws"}) {
    if (text.size() <= word.size() || text.substr(0, word.size()) != word) continue;
    const char next = text[word.size()];
    if (next == ':' || next == '+' || (word == "psql" && IsBlank(next))) return true;
  }
  // libpq's `keyword=value …`.
  for (const std::string_view keyword : {"host", "hostaddr", "port", "dbname", "user", "service", "sslmode"}) {
    if (text.size() > keyword.size() && text.substr(0, keyword.size()) == keyword && text[keyword.size()] == '=')
      return true;
  }
  return false;
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_SETTING_TEXT_H_
