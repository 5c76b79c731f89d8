#include "stores/location.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "stores/error.h"
#include "stores/open.h"
#include "stores/redacted.h"

namespace flaky {
namespace {

constexpr size_t kMaxPrefix = 40;
constexpr std::string_view kPrefixOption = "prefix=";

// URLs that name a store otherwise than the table of stores does.
constexpr std::pair<std::string_view, std::string_view> kUrlSchemes[] = {
    {"postgres", "postgres"}, {"postgresql", "postgres"}, {"libsql", "turso"}, {"http", "turso"}, {"https", "turso"}};

std::string AddressForms() {
  std::string text;
  for (const SchemeInfo& scheme : KnownSchemes()) {
    if (!text.empty()) text += ", ";
    text += scheme.address_form;
  }
  return text;
}

[[noreturn]] void Refuse(std::string_view text, const std::string& detail) {
  throw StoreError(ErrorKind::kInvalid, "", "", "", "'" + Redacted(text) + "' is no store's location: " + detail);
}

}  // namespace

void CheckPrefix(std::string_view prefix, std::string_view where) {
  const auto refuse = [&](const std::string& detail) {
    throw StoreError(ErrorKind::kInvalid, "", "", "",
                     std::string(where) + ": '" + Redacted(prefix) + "' cannot begin the names of tables: " + detail);
  };
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  if (!std::all_of(prefix.begin(), prefix.end(), allowed)) refuse("only a-z, 0-9 and _ are possible");
  if (prefix.size() > kMaxPrefix) refuse("it is longer than " + std::to_string(kMaxPrefix) + " characters");
  if (prefix.starts_with("sqlite_") || prefix.starts_with("pg_")) refuse("the database keeps such names for itself");
}

std::string StoreOf(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == text.npos) return {};
  const std::string_view word = text.substr(0, colon);
  for (const auto& [scheme, store] : kUrlSchemes) {
    if (word == scheme && text.substr(colon).starts_with("://")) return std::string(store);
  }
  for (const SchemeInfo& info : KnownSchemes()) {
    if (info.scheme == word) return info.scheme;
  }
  return {};
}

namespace {

// How a location that may be shown ends.
std::string ShownPrefix(const std::string& prefix) { return prefix == kDefaultPrefix ? "" : "?prefix=" + prefix; }

// Takes `prefix=NAME` out of the address: of a URL it is one of the options behind the `?`, of anything else all that
// stands behind the last one.
std::optional<std::string> TakePrefix(std::string& address) {
  const bool is_url = address.find("://") != address.npos;
  const size_t mark = is_url ? address.find('?') : address.rfind('?');
  if (mark == address.npos) return std::nullopt;
  for (size_t at = mark + 1; at <= address.size();) {
    const size_t end = is_url ? std::min(address.find('&', at), address.size()) : address.size();
    if (std::string_view(address).substr(at).starts_with(kPrefixOption)) {
      std::string prefix = address.substr(at + kPrefixOption.size(), end - at - kPrefixOption.size());
      // With the option goes the sign that separates it from its neighbours.
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
    const std::string_view word = text.substr(0, text.find(':') == text.npos ? 0 : text.find(':'));
    Refuse(text,
           (word.empty() ? "it does not begin with a store's name" : "there is no store '" + Redacted(word) + "'") +
               "; understood are " + AddressForms());
  }
  // A URL whose scheme tells the store is handed on whole, as its client library takes it.
  const std::string_view behind = text.substr(text.find(':') + 1);
  const bool is_path = location.scheme == "sqlite" || location.scheme == "jsonl";
  std::string address(behind.starts_with("//") && !is_path ? text : behind);

  if (std::optional<std::string> prefix = TakePrefix(address)) {
    location.prefix = std::move(*prefix);
    CheckPrefix(location.prefix, "'" + Redacted(text) + "'");
  } else {
    if (is_path && address.find('?') != address.npos) {
      Refuse(text, "behind the last '?' the only option is 'prefix=NAME' (a path that holds a '?' takes '?prefix=" +
                       std::string(default_prefix) + "' behind it)");
    }
    location.prefix = default_prefix;
    CheckPrefix(location.prefix, "prefix");
  }
  // PostgreSQL's client library has a default, and variables, for everything.
  if (address.empty() && location.scheme != "postgres") {
    Refuse(text, "the address behind '" + location.scheme + ":' is empty");
  }

  const bool names_itself = StoreOf(address) == location.scheme && address.find("://") != address.npos;
  const bool is_settings = location.scheme == "postgres" && address.find("://") == address.npos;
  location.display_name =
      (names_itself ? "" : location.scheme + ":") + (is_settings ? RedactedSettings(address) : Redacted(address));
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
