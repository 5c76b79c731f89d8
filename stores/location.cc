#include "stores/location.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "stores/error.h"
#include "stores/open.h"

namespace flaky {
namespace {

constexpr size_t kMaxPrefix = 40;
constexpr std::string_view kPrefixOption = "prefix=";

// URLs that name a store otherwise than the table of stores does.
constexpr std::pair<std::string_view, std::string_view> kAliases[] = {{"libsql", "turso"}, {"postgresql", "postgres"}};

// The text as it may be shown on a terminal: no password of a URL, no control characters.
std::string Showable(std::string_view text) {
  std::string shown;
  const size_t authority = text.find("://");
  const size_t at =
      authority == text.npos ? text.npos : text.substr(0, text.find_first_of("/?", authority + 3)).rfind('@');
  const size_t password = at == text.npos ? text.npos : text.find(':', authority + 3);
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (password < at && i > password && i < at) {
      if (i == password + 1) shown += "***";
    } else if (c < 0x20 || c == 0x7f) {
      char hex[5];
      std::snprintf(hex, sizeof hex, "\\x%02x", c);
      shown += hex;
    } else {
      shown += text[i];
    }
  }
  // What stands behind the address of a URL may be a password, too (`?password=`, `?authToken=`).
  if (authority != text.npos) {
    const size_t query = shown.find('?');
    if (query != shown.npos) shown.replace(query, shown.npos, "?…");
  }
  return shown;
}

std::string AddressForms() {
  std::string text;
  for (const SchemeInfo& scheme : KnownSchemes()) {
    if (!text.empty()) text += ", ";
    text += scheme.address_form;
  }
  return text;
}

[[noreturn]] void Refuse(std::string_view text, const std::string& detail) {
  throw StoreError(ErrorKind::kInvalid, "", "", "", "'" + Showable(text) + "' is no store's location: " + detail);
}

}  // namespace

void CheckPrefix(std::string_view prefix, std::string_view where) {
  const auto refuse = [&](const std::string& detail) {
    throw StoreError(ErrorKind::kInvalid, "", "", "",
                     std::string(where) + ": '" + Showable(prefix) + "' cannot begin the names of tables: " + detail);
  };
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  if (!std::all_of(prefix.begin(), prefix.end(), allowed)) refuse("only a-z, 0-9 and _ are possible");
  if (prefix.size() > kMaxPrefix) refuse("it is longer than " + std::to_string(kMaxPrefix) + " characters");
  if (prefix.starts_with("sqlite_") || prefix.starts_with("pg_")) refuse("the database keeps such names for itself");
}

Location ParseLocation(std::string_view text, std::string_view default_prefix) {
  const size_t colon = text.find(':');
  std::string_view scheme = text.substr(0, colon == text.npos ? 0 : colon);
  for (const auto& [alias, name] : kAliases) {
    if (scheme == alias) scheme = name;
  }
  const auto& known = KnownSchemes();
  if (std::none_of(known.begin(), known.end(), [&](const SchemeInfo& info) { return info.scheme == scheme; })) {
    Refuse(text,
           (scheme.empty() ? "it does not begin with a store's name" : "there is no store '" + Showable(scheme) + "'") +
               "; understood are " + AddressForms());
  }

  Location location;
  location.scheme = scheme;
  std::string_view address = text.substr(colon + 1);
  const bool is_path = scheme == "sqlite" || scheme == "jsonl";
  bool own_prefix = false;
  if (const size_t mark = address.rfind('?'); mark != address.npos) {
    const std::string_view option = address.substr(mark + 1);
    if (option.starts_with(kPrefixOption)) {
      location.prefix = option.substr(kPrefixOption.size());
      own_prefix = true;
      address = address.substr(0, mark);
    } else if (is_path) {
      Refuse(text, "behind the last '?' the only option is 'prefix=NAME' (a path that holds a '?' takes '?prefix=" +
                       std::string(default_prefix) + "' behind it)");
    }
  }
  if (own_prefix) {
    CheckPrefix(location.prefix, "'" + Showable(text) + "'");
  } else {
    location.prefix = default_prefix;
    CheckPrefix(location.prefix, "prefix");
  }
  if (address.empty()) Refuse(text, "the address behind '" + std::string(scheme) + ":' is empty");

  // A URL that begins with a store's name is handed on whole, as its client library takes it.
  const std::string whole = std::string(text.substr(0, colon + 1)) + std::string(address);
  location.address = Secret(address.starts_with("//") && !is_path ? whole : std::string(address));
  location.shown = Showable(whole);
  if (location.prefix != kDefaultPrefix) location.shown += "?prefix=" + location.prefix;
  return location;
}

}  // namespace flaky
