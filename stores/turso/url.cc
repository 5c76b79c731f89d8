#include "stores/turso/url.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "stores/error.h"
#include "stores/redacted.h"

namespace flaky {
namespace {

constexpr std::string_view kOperation = "use the location";

struct UrlScheme {
  std::string_view name;
  std::optional<bool> tls;  // absent: as the option `tls` says
};
constexpr UrlScheme kSchemes[] = {
    {"libsql", std::nullopt}, {"https", true}, {"http", false}, {"wss", true}, {"ws", false}};

bool IsAlnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Takes an address apart from the left, and explains what is wrong with it.
class AddressParser {
 public:
  explicit AddressParser(const Location& location)
      : location_(location), rest_(location.address.Reveal()), token_(location.token) {}

  TursoAddress Parse() {
    TakeScheme();
    if (rest_.find('#') != rest_.npos) Fail("a '#' and what is behind it mean nothing there");
    const std::string_view query = SplitOff('?');
    const std::string_view path = SplitOff('/');
    const bool has_port = TakeHost();
    TakeOptions(query);
    CheckPath(path);
    CheckToken();

    if (scheme_.name == "libsql" && tls_ == false && !has_port) {
      Fail("with 'tls=0' the port has to be named, too: libsql://HOST:PORT?tls=0");
    }
    TursoAddress address;
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

  // Cuts the text at the first `mark` and gives what was behind it.
  std::string_view SplitOff(char mark) {
    const size_t at = rest_.find(mark);
    const std::string_view behind = at == rest_.npos ? std::string_view() : rest_.substr(at + 1);
    rest_ = rest_.substr(0, at);
    return behind;
  }

  void TakeScheme() {
    const size_t end = rest_.find("://");
    if (end == rest_.npos) Fail("a URL is expected: libsql://HOST, https://HOST or http://HOST:PORT");
    const std::string_view name = rest_.substr(0, end);
    const auto* scheme = std::ranges::find(kSchemes, name, &UrlScheme::name);
    if (scheme == std::end(kSchemes)) {
      Fail("'" + Redacted(name) + "://' is no way to reach a libSQL server; libsql, https, http, wss and ws are" +
           (name == "file" ? "; for a file there is sqlite:PATH" : ""));
    }
    scheme_ = *scheme;
    rest_.remove_prefix(end + 3);
  }

  // What is left is HOST or HOST:PORT. True: with a port.
  bool TakeHost() {
    if (rest_.find('@') != rest_.npos) {
      Fail(
          "before the host there is an '@', but a libSQL server knows no user and password; the token is given by "
          "FLAKY_TESTS_AUTH_TOKEN");
    }
    const bool is_ipv6 = rest_.starts_with('[');
    const size_t host_end = is_ipv6 ? rest_.find(']') + 1 : std::min(rest_.find(':'), rest_.size());
    host_ = rest_.substr(0, host_end);
    const auto allowed = [&](char c) {
      return is_ipv6 ? HexDigit(c) >= 0 || c == ':' || c == '.' || c == '[' || c == ']'
                     : IsAlnum(c) || c == '-' || c == '.' || c == '_';
    };
    if (host_.empty() || !std::ranges::all_of(host_, allowed)) {
      Fail(rest_.empty() ? "the host is missing" : "'" + Redacted(rest_) + "' names no host");
    }
    authority_ = rest_;
    rest_.remove_prefix(host_.size());
    if (rest_.empty()) return false;
    rest_.remove_prefix(1);
    int port = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), port);
    if (!authority_.substr(host_.size()).starts_with(':') || error != std::errc() ||
        end != rest_.data() + rest_.size() || port < 1 || port > 65535) {
      Fail("'" + Redacted(rest_) + "' is no port");
    }
    return true;
  }

  void TakeOptions(std::string_view query) {
    while (!query.empty()) {
      const std::string_view option = query.substr(0, query.find('&'));
      query.remove_prefix(std::min(option.size() + 1, query.size()));
      const std::string_view name = option.substr(0, option.find('='));
      const std::string value = Decoded(option.substr(std::min(name.size() + 1, option.size())), name);
      if (name == "tls") {
        TakeTls(value);
      } else if (name == "authToken") {
        token_ = Secret(value);
      } else {
        Fail("it has the option '" + Redacted(name) + "'; understood are prefix, tls and authToken");
      }
    }
  }

  void TakeTls(const std::string& value) {
    if (value != "0" && value != "1") Fail("the option 'tls' is 0 or 1");
    tls_ = value == "1";
    if (scheme_.tls && *scheme_.tls != *tls_) {
      Fail("'" + std::string(scheme_.name) + "://' and 'tls=" + value + "' contradict each other");
    }
  }

  std::string Decoded(std::string_view text, std::string_view option) const {
    std::string decoded;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '%') {
        decoded += text[i];
        continue;
      }
      const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) Fail("in the option '" + Redacted(option) + "' a '%' is not followed by two digits");
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    }
    return decoded;
  }

  void CheckPath(std::string_view path) const {
    if (std::ranges::any_of(path, [](char c) { return c <= 0x20 || c >= 0x7f || c == '"' || c == '\\'; })) {
      Fail("its path holds a character that has to be written as %XX");
    }
  }

  // It goes into a line of HTTP.
  void CheckToken() const {
    if (std::ranges::any_of(token_.Reveal(), [](char c) { return c <= 0x20 || c >= 0x7f; })) {
      throw StoreError(ErrorKind::kAuth, location_.display_name, std::string(kOperation), "",
                       "the token (FLAKY_TESTS_AUTH_TOKEN) holds a blank, a line's end or another character that no "
                       "token has");
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

TursoAddress ParseTursoAddress(const Location& location) { return AddressParser(location).Parse(); }

}  // namespace flaky
