// SPDX-License-Identifier: MIT
#include "stores/postgres/conninfo.h"

#include <libpq-fe.h>

#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "history/text.h"
#include "stores/error.h"

namespace flaky::postgres {
namespace {

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;
using Settings = std::map<std::string, std::string, std::less<>>;

// Our defaults. With them, a dead server is noticed after about 30 seconds.
constexpr std::pair<const char*, const char*> kDefaults[] = {
    {"application_name", "flaky"}, {"connect_timeout", "10"}, {"keepalives_idle", "15"},
    {"keepalives_interval", "5"},  {"keepalives_count", "3"}, {"tcp_user_timeout", "30000"},
};

Settings ValuesOf(const PQconninfoOption* option) {
  Settings values;
  for (; option != nullptr && option->keyword != nullptr; ++option) {
    if (option->val != nullptr) values[option->keyword] = option->val;
  }
  return values;
}

// Returns what libpq says is wrong, in words of ours: its message quotes what it does not understand, which may be a
// part of a password, and the text itself may contain quotes.
std::string_view ReasonOf(std::string_view message) {
  constexpr std::pair<std::string_view, std::string_view> kReasons[] = {
      {"missing \"=\"", "a '=' is missing after a keyword; a value with blanks is written as keyword='value'"},
      {"missing key/value separator", "a '=' is missing in the options after the '?'"},
      {"extra key/value separator", "there is a second '=' in an option after the '?'"},
      {"unterminated quoted string", "a quote is not closed"},
      {"invalid connection option", "invalid connection option: libpq does not know one of the keywords"},
      {"invalid URI query parameter", "libpq does not know one of the options after the '?'"},
      {"invalid percent-encoded token", "a '%' is not followed by two hexadecimal digits; write '%' itself as %25"},
      {"forbidden value %00", "it contains %00"},
      {"matching \"]\"", "a ']' is missing after the address of a host"},
      {"IPv6 host address may not be empty", "the address of a host is empty"},
      {"unexpected character", "an unexpected character follows the host or the port"},
      {"out of memory", "out of memory"},
  };
  for (const auto& [words, reason] : kReasons) {
    if (message.find(words) != message.npos) return reason;
  }
  return "libpq does not understand it";
}

[[noreturn]] void Refuse(const Location& location, const std::string& detail) {
  throw StoreError(ErrorKind::kInvalid, location.display_name, "connect", "",
                   detail + " (see \"Connection Strings\" in PostgreSQL's documentation)");
}

// If the special characters of a password aren't encoded, libpq takes a part of it for host, port or database, and
// shows it in error messages.
void CheckAuthority(const Location& location) {
  const std::string_view uri = location.address.Reveal();
  const size_t authority = uri.find("://");
  if (authority == uri.npos) return;
  const std::string_view rest = uri.substr(authority + 3, uri.find('?', authority) - (authority + 3));
  const size_t at = rest.find('@');
  if (at == rest.npos) return;
  if (rest.rfind('@') != at || rest.substr(0, at).find('/') != rest.npos) {
    Refuse(location, "a character of the user or password must be percent-encoded: '@' as %40, '/' as %2F, '?' as %3F");
  }
}

std::string Quoted(const std::string& value) {
  std::string quoted = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

}  // namespace

std::string ConnectionSettings(const Location& location) {
  CheckAuthority(location);
  char* message = nullptr;
  const Options parsed(PQconninfoParse(location.address.Reveal().c_str(), &message), &PQconninfoFree);
  if (parsed == nullptr) {
    const std::unique_ptr<char, decltype(&PQfreemem)> owned(message, &PQfreemem);
    Refuse(location,
           "invalid connection string: " + std::string(ReasonOf(message == nullptr ? "out of memory" : message)));
  }
  Settings settings = ValuesOf(parsed.get());
  settings["client_encoding"] = "UTF8";
  // A service has settings that libpq looks up later. They must override our defaults, but not the string's settings.
  if (!settings.contains("service")) {
    const Options environment(PQconndefaults(), &PQconninfoFree);
    const Settings outside = ValuesOf(environment.get());
    for (const auto& [keyword, value] : kDefaults) {
      if (!outside.contains(keyword)) settings.emplace(keyword, value);
    }
  }
  return Join(settings, " ", [](const auto& setting) { return setting.first + "=" + Quoted(setting.second); });
}

}  // namespace flaky::postgres
