// SPDX-License-Identifier: MIT
#include "stores/supabase/url.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "stores/error.h"

namespace flaky::supabase {
namespace {

constexpr std::string_view kRest = "/rest/v1";
constexpr std::string_view kHosted = ".supabase.co";

bool IsHostCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_';
}

bool IsPort(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

bool IsAuthority(std::string_view text) {
  size_t host_end = std::min(text.find(':'), text.size());
  if (text.starts_with('[')) {
    host_end = text.find(']');
    if (host_end == text.npos || text.find_first_not_of("0123456789abcdefABCDEF:.", 1) != host_end) return false;
    ++host_end;
  } else if (host_end == 0 || !std::ranges::all_of(text.substr(0, host_end), IsHostCharacter)) {
    return false;
  }
  const std::string_view port = text.substr(host_end);
  return port.empty() || (port.starts_with(':') && IsPort(port.substr(1)));
}

}  // namespace

Address ParseAddress(const Location& location) {
  const auto fail = [&](const std::string& detail) {
    throw StoreError(ErrorKind::kInvalid, location.display_name, "use the location", "", detail);
  };
  std::string_view rest = location.address.Reveal();
  if (!rest.starts_with("https://") && !rest.starts_with("http://")) {
    fail("expected the project's URL: https://PROJECT.supabase.co");
  }
  if (rest.find_first_of("?#") != rest.npos) fail("unexpected '?' or '#' in the URL");
  const size_t host = rest.find("://") + 3;
  const size_t path_begin = std::min(rest.find('/', host), rest.size());
  const std::string_view authority = rest.substr(host, path_begin - host);
  if (authority.find('@') != authority.npos) {
    fail("unexpected '@' before the host; set FLAKY_TESTS_AUTH_TOKEN to the key");
  }
  if (!IsAuthority(authority)) fail("invalid host; expected a name or an address, possibly with a port");
  if (authority == "supabase.com" || authority == "app.supabase.com") {
    fail("this is the dashboard; it shows the project's URL, https://PROJECT.supabase.co, under 'Data API'");
  }
  if (authority.starts_with("db.") && authority.ends_with(kHosted)) {
    fail("this is the database's host; the REST interface is at https://" +
         std::string(authority.substr(std::string_view("db.").size())));
  }
  const auto hidden = [](char c) { return c <= 0x20 || c >= 0x7f || c == '"' || c == '\\'; };
  if (std::ranges::any_of(rest, hidden)) fail("the path contains a character that must be percent-encoded (%XX)");

  Address address;
  while (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.ends_with(kRest)) rest.remove_suffix(kRest.size());
  address.base = rest;
  if (authority.ends_with(kHosted)) address.reference = authority.substr(0, authority.size() - kHosted.size());
  address.loopback =
      authority.starts_with("localhost") || authority.starts_with("127.") || authority.starts_with("[::1]");
  return address;
}

}  // namespace flaky::supabase
