#include "stores/redacted.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace flaky {
namespace {

constexpr std::string_view kHarmlessSettings[] = {"host", "hostaddr", "port", "dbname", "user", "service", "sslmode"};
constexpr std::string_view kSecretSettings[] = {"password", "sslpassword", "authToken"};
constexpr std::string_view kBlanks = " \t\n\r\f\v";

std::string WithoutControls(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      char hex[5];
      std::snprintf(hex, sizeof hex, "\\x%02x", byte);
      shown += hex;
    } else {
      shown += c;
    }
  }
  return shown;
}

std::string_view TrimmedLeft(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(kBlanks), text.size()));
}

// Removes a value from the front: up to a blank, or between single quotes. A backslash escapes the next character.
std::string TakeValue(std::string_view& text) {
  std::string value;
  const bool quoted = text.starts_with('\'');
  size_t at = quoted ? 1 : 0;
  for (; at < text.size(); ++at) {
    if (quoted ? text[at] == '\'' : kBlanks.find(text[at]) != kBlanks.npos) break;
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    value += text[at];
  }
  text.remove_prefix(std::min(at + (quoted ? 1 : 0), text.size()));
  return value;
}

// Calls `visit(keyword, value)` for each `keyword=value`.
template <typename Visit>
void ForEachSetting(std::string_view settings, Visit&& visit) {
  for (settings = TrimmedLeft(settings); !settings.empty(); settings = TrimmedLeft(settings)) {
    const size_t equals = settings.find('=');
    if (equals == settings.npos) return;  // libpq will refuse it
    std::string_view keyword = settings.substr(0, equals);
    keyword = keyword.substr(0, keyword.find_first_of(kBlanks));
    settings = TrimmedLeft(settings.substr(equals + 1));
    visit(keyword, TakeValue(settings));
  }
}

struct Span {
  size_t begin = 0;
  size_t size = 0;
};

// The position of a URL's password. It ends at the last @, because an unencoded password may contain any character.
Span PasswordOf(std::string_view url) {
  const size_t user = url.find("://") + 3;
  const size_t at = url.rfind('@');
  const size_t colon = url.find(':', user);
  if (at == url.npos || colon >= at) return {};
  return {colon + 1, at - colon - 1};
}

}  // namespace

std::string Redacted(std::string_view text) {
  std::string url(text);
  size_t rest = text.find("://");
  if (rest == url.npos) return WithoutControls(text);
  rest += 3;
  if (const auto [begin, size] = PasswordOf(url); size > 0) {
    url.replace(begin, size, "***");
    rest = begin;
  }
  if (const size_t query = url.find('?', rest); query != url.npos) url.replace(query, url.npos, "?…");
  return WithoutControls(url);
}

std::string RedactedSettings(std::string_view settings) {
  std::string shown;
  ForEachSetting(settings, [&](std::string_view keyword, const std::string& value) {
    if (std::ranges::find(kHarmlessSettings, keyword) == std::end(kHarmlessSettings)) return;
    const bool plain = !value.empty() && value.find_first_of(" '\\") == value.npos;
    shown += (shown.empty() ? "" : " ") + std::string(keyword) + '=' +
             (plain ? WithoutControls(value) : '\'' + WithoutControls(value) + '\'');
  });
  return shown;
}

bool HoldsSecret(std::string_view address) {
  if (address.find("://") == address.npos) {
    bool found = false;
    ForEachSetting(address, [&](std::string_view keyword, const std::string&) {
      found |= std::ranges::find(kSecretSettings, keyword) != std::end(kSecretSettings);
    });
    return found;
  }
  if (PasswordOf(address).size > 0) return true;
  const size_t query = address.find('?');
  if (query == address.npos) return false;
  return std::ranges::any_of(kSecretSettings, [&](std::string_view keyword) {
    const size_t at = address.find(std::string(keyword) + '=', query);
    return at != address.npos && (address[at - 1] == '?' || address[at - 1] == '&');
  });
}

}  // namespace flaky
