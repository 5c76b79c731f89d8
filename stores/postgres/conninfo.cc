// SPDX-License-Identifier: MIT
#include "stores/postgres/conninfo.h"

#include <libpq-fe.h>

#include <algorithm>
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

bool IsKeyword(std::string_view word) {
  const Options known(PQconndefaults(), &PQconninfoFree);
  for (const PQconninfoOption* option = known.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (word == option->keyword) return true;
  }
  return false;
}

// Removes the quotations from a message of libpq, because it quotes what it doesn't understand, which may be a part of
// a password.
std::string WithoutQuotations(std::string_view message) {
  std::string safe;
  while (!message.empty()) {
    const size_t open = message.find('"');
    const size_t close = open == message.npos ? message.npos : message.find('"', open + 1);
    safe += message.substr(0, open);
    if (open == message.npos) break;
    const std::string_view quoted = message.substr(open + 1, close == message.npos ? close : close - open - 1);
    safe += IsKeyword(quoted) ? "\"" + std::string(quoted) + "\"" : "\"…\"";
    message.remove_prefix(close == message.npos ? message.size() : close + 1);
  }
  while (safe.ends_with('\n')) safe.pop_back();
  return safe;
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
    Refuse(location, WithoutQuotations(message == nullptr ? "out of memory" : message));
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
