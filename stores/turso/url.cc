// SPDX-License-Identifier: MIT
#include "stores/turso/url.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "stores/error.h"

namespace flaky::turso {
namespace {

constexpr std::string_view kOperation = "use the location";

struct UrlScheme {
  std::string_view name;
  std::optional<bool> tls;  // absent: the option `tls` decides
};
constexpr UrlScheme kSchemes[] = {
    {"libsql", std::nullopt}, {"https", true}, {"http", false}, {"wss", true}, {"ws", false}};

bool IsAlnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Parses an address from the left, and explains what is wrong with it.
class AddressParser {
 public:
  explicit AddressParser(const Location& location)
      : location_(location), rest_(location.address.Reveal()), token_(location.token) {}

  Address Parse() {
    TakeScheme();
    if (rest_.find('#') != rest_.npos) Fail("unexpected '#' and the text after it");
    const std::string_view query = SplitOff('?');
    const std::string_view path = SplitOff('/');
    const bool has_port = TakeHost();
    TakeOptions(query);
    CheckPath(path);
    CheckToken();

    if (scheme_.name == "libsql" && tls_ == false && !has_port) {
      Fail("'tls=0' requires a port: libsql://HOST:PORT?tls=0");
    }
    Address address;
    address.base = (scheme_.tls.value_or(tls_.value_or(true)) ? "https://" : "http://") + std::string(authority_);
    if (!path.empty()) address.base += "/" + std::string(path.substr(0, path.find_last_not_of('/') + 1));
    if (address.base.ends_with('/')) address.base.pop_back();
    address.token = token_;
    address.loopback = host_ == "localhost" || host_ == "[::1]" || host_.starts_with("127.");
    return address;
  }

 private:
  [[noreturn]] void Fail(const std::string& detail) const {
    throw StoreError(ErrorKind::kInvalid, location_.display_name, std::string(kOperation), "", detail);
  }

  // Cuts the text at the first `mark` and returns what came after it.
  std::string_view SplitOff(char mark) {
    const size_t at = rest_.find(mark);
    const std::string_view behind = at == rest_.npos ? std::string_view() : rest_.substr(at + 1);
    rest_ = rest_.substr(0, at);
    return behind;
  }

  void TakeScheme() {
    const size_t end = rest_.find("://");
    if (end == rest_.npos) Fail("expected a URL: libsql://HOST, https://HOST or http://HOST:PORT");
    const std::string_view name = rest_.substr(0, end);
    const auto* scheme = std::ranges::find(kSchemes, name, &UrlScheme::name);
    if (scheme == std::end(kSchemes)) {
      Fail(std::string("invalid URL scheme; expected libsql, https, http, wss or ws") +
           (name == "file" ? ", or sqlite:PATH for a file" : ""));
    }
    scheme_ = *scheme;
    rest_.remove_prefix(end + 3);
  }

  // Takes HOST or HOST:PORT, which is all that is left. Returns true if there is a port.
  bool TakeHost() {
    if (rest_.find('@') != rest_.npos) {
      Fail(
          "unexpected '@' before the host: a libSQL server has no user and password; set FLAKY_TESTS_AUTH_TOKEN to the "
          "token");
    }
    const bool is_ipv6 = rest_.starts_with('[');
    const size_t host_end = is_ipv6 ? rest_.find(']') + 1 : std::min(rest_.find(':'), rest_.size());
    host_ = rest_.substr(0, host_end);
    const auto allowed = [&](char c) {
      return is_ipv6 ? HexDigit(c) >= 0 || c == ':' || c == '.' || c == '[' || c == ']'
                     : IsAlnum(c) || c == '-' || c == '.' || c == '_';
    };
    if (host_.empty() || !std::ranges::all_of(host_, allowed)) {
      Fail(rest_.empty() ? "the host is missing" : "invalid host; expected a name or an address");
    }
    authority_ = rest_;
    rest_.remove_prefix(host_.size());
    if (rest_.empty()) return false;
    rest_.remove_prefix(1);
    int port = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), port);
    if (!authority_.substr(host_.size()).starts_with(':') || error != std::errc() ||
        end != rest_.data() + rest_.size() || port < 1 || port > 65535) {
      Fail("invalid port; expected a number from 1 to 65535");
    }
    return true;
  }

  void TakeOptions(std::string_view query) {
    while (!query.empty()) {
      const std::string_view option = query.substr(0, query.find('&'));
      query.remove_prefix(std::min(option.size() + 1, query.size()));
      const std::string_view name = option.substr(0, option.find('='));
      const std::string value = Decoded(option.substr(std::min(name.size() + 1, option.size())));
      if (name == "tls") {
        TakeTls(value);
      } else if (name == "authToken") {
        token_ = Secret(value);
      } else {
        Fail("unknown option after the '?'; expected prefix, tls or authToken");
      }
    }
  }

  void TakeTls(const std::string& value) {
    if (value != "0" && value != "1") Fail("invalid value of the option 'tls'; expected 0 or 1");
    tls_ = value == "1";
    if (scheme_.tls && *scheme_.tls != *tls_) {
      Fail("'" + std::string(scheme_.name) + "://' and 'tls=" + value + "' contradict each other");
    }
  }

  std::string Decoded(std::string_view text) const {
    std::string decoded;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '%') {
        decoded += text[i];
        continue;
      }
      const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) Fail("in an option after the '?', a '%' is not followed by two hexadecimal digits");
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    }
    return decoded;
  }

  void CheckPath(std::string_view path) const {
    if (std::ranges::any_of(path, [](char c) { return c <= 0x20 || c >= 0x7f || c == '"' || c == '\\'; })) {
      Fail("the path contains a character that must be percent-encoded (%XX)");
    }
  }

  // The token becomes part of an HTTP header.
  void CheckToken() const {
    if (std::ranges::any_of(token_.Reveal(), [](char c) { return c <= 0x20 || c >= 0x7f; })) {
      throw StoreError(ErrorKind::kAuth, location_.display_name, std::string(kOperation), "",
                       "the token (FLAKY_TESTS_AUTH_TOKEN) contains a blank, a line break or another character that "
                       "tokens do not have");
    }
  }

  const Location& location_;
  std::string_view rest_;
  UrlScheme scheme_ = {};
  std::optional<bool> tls_;
  std::string_view host_;
  std::string_view authority_;
  Secret token_;
};

}  // namespace

Address ParseAddress(const Location& location) { return AddressParser(location).Parse(); }

}  // namespace flaky::turso
