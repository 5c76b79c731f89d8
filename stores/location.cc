// SPDX-License-Identifier: MIT
#include "stores/location.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "history/masked.h"
#include "history/text.h"
#include "stores/error.h"
#include "stores/redacted.h"
#include "stores/schemes.h"

namespace flaky {
namespace {

constexpr size_t kMaxPrefix = 40;
constexpr std::string_view kPrefixOption = "prefix=";

// The text is not shown: what is not understood may contain a password anywhere.
[[noreturn]] void Refuse(const std::string& detail) {
  throw StoreError(ErrorKind::kInvalid, "", "", "", "invalid store location: " + detail);
}

// Returns the text in quotes, or nothing if it may be anything.
std::string Quoted(std::string_view text) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-'; };
  return text.size() <= kMaxPrefix && std::ranges::all_of(text, plain) ? " '" + std::string(text) + "'" : "";
}

}  // namespace

void CheckPrefix(std::string_view prefix, std::string_view where) {
  const auto refuse = [&](const std::string& detail) {
    throw StoreError(ErrorKind::kInvalid, "", "", "",
                     std::string(where) + ": invalid table prefix" + Quoted(prefix) + ": " + detail);
  };
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  if (!std::all_of(prefix.begin(), prefix.end(), allowed)) refuse("expected only a-z, 0-9 and _");
  if (prefix.size() > kMaxPrefix) refuse("it is longer than " + std::to_string(kMaxPrefix) + " characters");
  if (prefix.starts_with("sqlite_") || prefix.starts_with("pg_")) refuse("the database reserves such names");
}

std::string StoreOf(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == text.npos) return {};
  const std::string_view word = text.substr(0, colon);
  for (const SchemeInfo& scheme : Schemes()) {
    const bool is_url = text.substr(colon).starts_with("://") && std::ranges::count(scheme.url_schemes, word) > 0;
    if (is_url || scheme.name == word) return std::string(scheme.name);
  }
  return {};
}

namespace {

// The end of a display name.
std::string ShownPrefix(const std::string& prefix) { return prefix == kDefaultPrefix ? "" : "?prefix=" + prefix; }

// Removes `prefix=NAME` from the address and returns NAME. In a URL it is one of the options after the first `?`;
// otherwise it is everything after the last one.
std::optional<std::string> TakePrefix(std::string& address) {
  const bool is_url = address.find("://") != address.npos;
  const size_t mark = is_url ? address.find('?') : address.rfind('?');
  if (mark == address.npos) return std::nullopt;
  for (size_t at = mark + 1; at <= address.size();) {
    const size_t end = is_url ? std::min(address.find('&', at), address.size()) : address.size();
    if (std::string_view(address).substr(at).starts_with(kPrefixOption)) {
      std::string prefix = address.substr(at + kPrefixOption.size(), end - at - kPrefixOption.size());
      // The separator goes with the option.
      const bool is_first = at == mark + 1;
      const bool is_last = end == address.size();
      address.erase(is_first && !is_last ? at : at - 1, end - at + 1);
      return prefix;
    }
    at = end + 1;
  }
  return std::nullopt;
}

}  // namespace

Location ParseLocation(std::string_view text, std::string_view default_prefix) {
  Location location;
  location.scheme = StoreOf(text);
  if (location.scheme.empty()) {
    Refuse("it does not begin with the name of a store; expected one of " +
           Join(Schemes(), ", ", &SchemeInfo::address_form) +
           (text.find("://") != text.npos || LooksLikeAddress(text)
                ? "; remove what other programs put in front (`jdbc:`, `+psycopg2`, `psql`)"
                : ""));
  }
  const SchemeInfo& scheme = SchemeOf(location.scheme);
  // A URL whose scheme names the store is the address as a whole, as the client library takes it.
  const std::string_view rest = text.substr(text.find(':') + 1);
  std::string address(rest.starts_with("//") && !scheme.is_file ? text : rest);

  if (std::optional<std::string> prefix = TakePrefix(address)) {
    location.prefix = std::move(*prefix);
    CheckPrefix(location.prefix, "invalid store location");
  } else {
    if (scheme.is_file && address.find('?') != address.npos) {
      Refuse("the only option after the last '?' is 'prefix=NAME'; if the path contains a '?', append '?prefix=" +
             std::string(default_prefix) + "'");
    }
    location.prefix = default_prefix;
    CheckPrefix(location.prefix, "prefix");
  }
  if (address.empty() && scheme.needs_address) Refuse("the address after '" + location.scheme + ":' is empty");

  if (scheme.is_file && LooksLikeAddress(address)) {
    Refuse("the text after '" + location.scheme +
           ":' looks like a URL, a connection string or a secret; expected the path of a file");
  }

  const std::string shown = Redacted(scheme, address);
  const bool names_itself = StoreOf(shown) == location.scheme && shown.find("://") != shown.npos;
  location.display_name = (names_itself ? "" : location.scheme + ":") + shown;
  location.address = Secret(std::move(address));
  location.display_name += ShownPrefix(location.prefix);
  return location;
}

Location WithPrefix(Location location, std::string_view prefix) {
  location.display_name.erase(location.display_name.size() - ShownPrefix(location.prefix).size());
  location.prefix = prefix;
  location.display_name += ShownPrefix(location.prefix);
  return location;
}

}  // namespace flaky
