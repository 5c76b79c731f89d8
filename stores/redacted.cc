// SPDX-License-Identifier: MIT
#include "stores/redacted.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "history/masked.h"

namespace flaky {
namespace {

constexpr std::string_view kBlanks = " \t\n\r\f\v";
constexpr size_t kLongestName = 63, kLongestHost = 253;
constexpr std::string_view kMask = "***";
// Settings of libpq whose values never are secret, and those of them that are shown.
constexpr std::string_view kHarmless[] = {"application_name",
                                          "client_encoding",
                                          "connect_timeout",
                                          "dbname",
                                          "gssencmode",
                                          "host",
                                          "hostaddr",
                                          "keepalives",
                                          "keepalives_count",
                                          "keepalives_idle",
                                          "keepalives_interval",
                                          "options",
                                          "port",
                                          "prefix",
                                          "service",
                                          "ssl",
                                          "sslcert",
                                          "sslcrl",
                                          "sslkey",
                                          "sslmode",
                                          "sslrootcert",
                                          "target_session_attrs",
                                          "tcp_user_timeout",
                                          "tls",
                                          "user"};
constexpr std::string_view kShown[] = {"host", "hostaddr", "port", "dbname", "user", "service", "sslmode"};

template <typename Words>
bool IsOneOf(const Words& words, std::string_view text) {
  return std::ranges::find(words, text) != std::end(words);
}

bool IsLower(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool IsAlnum(char c) { return IsLower(c) || (c >= 'A' && c <= 'Z'); }

bool IsPort(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

// Names of hosts are written in lower case; what is not may be a token.
bool IsHost(std::string_view text) {
  if (text.starts_with('[')) {
    return text.ends_with(']') && text.find_first_not_of("0123456789abcdefABCDEF:.", 1) == text.size() - 1;
  }
  const auto allowed = [](char c) { return IsLower(c) || c == '-' || c == '.' || c == '_'; };
  return !text.empty() && text.size() <= kLongestHost && std::ranges::all_of(text, allowed) && !LooksSecret(text);
}

bool IsName(std::string_view text) {
  const auto allowed = [](char c) { return IsAlnum(c) || c == '-' || c == '.' || c == '_'; };
  return text.size() <= kLongestName && std::ranges::all_of(text, allowed) && !LooksSecret(text);
}

bool IsPath(std::string_view text) {
  const auto allowed = [](char c) { return IsAlnum(c) || c == '-' || c == '.' || c == '_' || c == '/' || c == '~'; };
  return std::ranges::all_of(text, allowed) && !LooksSecret(text);
}

// HOST, HOST:PORT, or a list of them.
bool IsPlace(std::string_view text) {
  while (true) {
    const std::string_view one = text.substr(0, text.find(','));
    const size_t host_end =
        one.starts_with('[') ? std::min(one.find(']'), one.size() - 1) + 1 : std::min(one.find(':'), one.size());
    const std::string_view port = one.substr(host_end);
    if (!IsHost(one.substr(0, host_end)) || (!port.empty() && !IsPort(port.substr(1)))) return false;
    if (one.size() == text.size()) return true;
    text.remove_prefix(one.size() + 1);
  }
}

// Keeps each part of what is not understood out of messages.
void HideAll(std::string_view text) {
  KeepOutOfMessages(text);
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find_first_of(":/?#@&=;,'\"`<> \t\r\n"));
    if (part.size() >= 4) KeepOutOfMessages(part);
    text.remove_prefix(std::min(part.size() + 1, text.size()));
  }
}

// Without a password, the user may be a token, unless it has the usual form of a role's name: then a server may name
// it.
void HideUser(std::string_view user, bool for_libpq) {
  const size_t colon = user.find(':');
  if (colon != user.npos && colon + 1 < user.size()) return KeepOutOfMessages(user.substr(colon + 1));
  if (!for_libpq || !IsHost(user)) KeepOutOfMessages(user);
}

void HideOptions(std::string_view query) {
  while (!query.empty()) {
    const std::string_view option = query.substr(0, query.find('&'));
    const std::string_view name = option.substr(0, option.find('='));
    // A text without a name may be a token.
    if (name.size() == option.size()) KeepOutOfMessages(option);
    if (!IsOneOf(kHarmless, name)) KeepOutOfMessages(option.substr(std::min(name.size() + 1, option.size())));
    query.remove_prefix(std::min(option.size() + 1, query.size()));
  }
}

// Returns nullopt if the URL does not have the usual form.
std::optional<std::string> ShownUrl(std::string_view url, bool for_libpq) {
  const size_t colon = url.find("://");
  const std::string_view scheme = url.substr(0, colon);
  if (!std::ranges::all_of(scheme, [](char c) { return c >= 'a' && c <= 'z'; })) return std::nullopt;
  std::string_view rest = url.substr(colon + 3);
  const size_t at = rest.find('@');
  const bool has_user = at < rest.find_first_of("/?");
  const std::string_view user = has_user ? rest.substr(0, at) : "";
  if (has_user) rest.remove_prefix(at + 1);
  const auto odd = [](char c) { return c <= 0x20 || c >= 0x7f || c == '@' || c == '#' || c == '"' || c == '\''; };
  if (std::ranges::any_of(rest, odd)) return std::nullopt;

  const std::string_view place = rest.substr(0, rest.find_first_of("/?"));
  rest.remove_prefix(place.size());
  const std::string_view path = rest.substr(0, rest.find('?'));
  const std::string_view query = rest.substr(path.size());
  // One word alone may be a token instead of an address.
  const bool is_word = path.empty() && place != "localhost" && place.find_first_of(".:") == place.npos;
  if (place.empty() ? !for_libpq : is_word || !IsPlace(place)) return std::nullopt;
  if (for_libpq ? !IsName(path.substr(std::min<size_t>(1, path.size()))) : !IsPath(path)) return std::nullopt;

  HideUser(user, for_libpq);
  HideOptions(query.substr(std::min<size_t>(1, query.size())));
  std::string shown = std::string(scheme) + "://";
  if (has_user) shown.append(kMask).append("@");
  shown.append(place).append(path);
  return query.empty() ? shown : shown + "?…";
}

std::string WithoutControls(std::string_view path) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string shown;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      shown.append("\\x").append({kHex[byte >> 4], kHex[byte & 15]});
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

bool IsShownValue(std::string_view keyword, std::string_view value) {
  if (keyword == "host" || keyword == "hostaddr") return value.starts_with('/') ? IsPath(value) : IsPlace(value);
  if (keyword == "port") return IsPort(value);
  if (keyword != "dbname") return IsName(value);
  return std::ranges::all_of(value, [](char c) { return IsName(std::string_view(&c, 1)) || c == ' '; });
}

// Calls `take(keyword, value)` for each of libpq's settings, until it returns false. Returns false then, and if these
// are not settings as libpq takes them.
template <typename Take>
bool EachSetting(std::string_view settings, const Take& take) {
  for (settings = TrimmedLeft(settings); !settings.empty(); settings = TrimmedLeft(settings)) {
    const size_t equals = settings.find('=');
    if (equals == settings.npos) return false;
    std::string_view keyword = settings.substr(0, equals);
    keyword = keyword.substr(0, keyword.find_last_not_of(kBlanks) + 1);
    if (!std::ranges::all_of(keyword, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; })) return false;
    settings = TrimmedLeft(settings.substr(equals + 1));
    if (!take(keyword, TakeValue(settings))) return false;
  }
  return true;
}

// Returns nullopt if these are not settings as libpq takes them, or one that is shown has an unusual value.
std::optional<std::string> ShownSettings(std::string_view settings) {
  std::string shown;
  const bool usual = EachSetting(settings, [&](std::string_view keyword, const std::string& value) {
    if (!IsOneOf(kHarmless, keyword)) KeepOutOfMessages(value);
    if (!IsOneOf(kShown, keyword)) return true;
    if (!IsShownValue(keyword, value)) return false;
    const bool plain = !value.empty() && value.find(' ') == value.npos;
    shown += (shown.empty() ? "" : " ") + std::string(keyword) + '=' + (plain ? value : '\'' + value + '\'');
    return true;
  });
  return usual ? std::optional(shown) : std::nullopt;
}

std::string PlaceInSettings(std::string_view settings) {
  std::string place;
  const bool usual = EachSetting(settings, [&](std::string_view keyword, const std::string& value) {
    if (IsOneOf(kHarmless, keyword) && !LooksSecret(value)) place.append(keyword).append("=").append(value) += '\n';
    return true;
  });
  return usual ? place : "";
}

// Every host has no port or a number. Otherwise a part of a password may be in it.
bool HasPorts(std::string_view place) {
  while (!place.empty()) {
    std::string_view one = place.substr(0, place.find(','));
    place.remove_prefix(std::min(one.size() + 1, place.size()));
    if (one.starts_with('[')) one.remove_prefix(std::min(one.find(']'), one.size()));
    const size_t colon = one.find(':');
    if (colon != one.npos && colon + 1 < one.size() && !IsPort(one.substr(colon + 1))) return false;
  }
  return true;
}

std::string PlaceInUrl(std::string_view url, bool for_libpq) {
  const size_t colon = url.find("://");
  std::string_view rest = url.substr(colon + 3);
  std::string_view user;
  if (const size_t at = rest.find('@'); at < rest.find('/')) {
    user = rest.substr(0, at);
    user = user.substr(0, user.find(':'));
    rest.remove_prefix(at + 1);
  }
  const std::string_view path = rest.substr(0, rest.find_first_of(for_libpq ? "?" : "?#"));
  std::string_view query = rest.substr(std::min(path.size() + 1, rest.size()));
  // Of a password that has a character which must be encoded, the rest would follow.
  const bool is_odd = path.find('@') != path.npos || query.substr(0, query.find('=')).find('@') != query.npos;
  if (is_odd || !HasPorts(path.substr(0, path.find('/')))) return "";

  std::string place(url.substr(0, colon + 3));
  if (for_libpq && user.find("%3") == user.npos && !LooksSecret(user)) place.append(user).append("@");
  place.append(path);
  while (!query.empty()) {
    const std::string_view option = query.substr(0, query.find_first_of(for_libpq ? "&" : "&#"));
    const std::string_view name = option.substr(0, option.find('='));
    if (name.size() < option.size() && IsOneOf(kHarmless, name) && !LooksSecret(option)) (place += '\n').append(option);
    query.remove_prefix(std::min(option.size() + 1, query.size()));
  }
  return place;
}

}  // namespace

std::string Redacted(const SchemeInfo& scheme, std::string_view address) {
  std::optional<std::string> shown;
  if (scheme.is_file) {
    if (!LooksLikeAddress(address)) shown = WithoutControls(address);
  } else if (address.find("://") != address.npos) {
    shown = ShownUrl(address, scheme.uses_libpq);
  } else if (scheme.uses_libpq) {
    shown = ShownSettings(address);
  } else if (IsPath(address) && !scheme.takes_http_urls) {
    shown = std::string(address);
  }
  if (shown) return *shown;
  HideAll(address);
  return std::string(kNotShown);
}

bool HoldsSecret(const SchemeInfo& scheme, std::string_view address) {
  const size_t url = address.find("://");
  if (!scheme.uses_libpq || url == address.npos) return LooksSecret(address);
  std::string_view rest = address.substr(url + 3);
  const size_t at = rest.find('@');
  if (at >= rest.find_first_of("/?")) return LooksSecret(address);
  const std::string_view user = rest.substr(0, at);
  if (user.find(':') != user.npos || user.find("%3") != user.npos || LooksSecret(user)) return true;
  rest.remove_prefix(at + 1);
  return LooksSecret(std::string(address.substr(0, url + 3)).append(rest));
}

std::string PlaceIn(const SchemeInfo& scheme, std::string_view address) {
  if (scheme.is_file) return std::string(address);
  if (address.find("://") != address.npos) return PlaceInUrl(address, scheme.uses_libpq);
  if (scheme.uses_libpq) return PlaceInSettings(address);
  return LooksSecret(address) ? "" : std::string(address);
}

}  // namespace flaky
