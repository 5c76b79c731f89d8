// SPDX-License-Identifier: MIT
#include <algorithm>

#include "history/masked.h"
#include "stores/error.h"
#include "stores/location.h"
#include "stores/supabase/url.h"
#include "stores/turso/url.h"
#include "tests/fuzz/fuzz.h"

namespace flaky::fuzz {
namespace {

constexpr std::string_view kSecret = "S3cr3tOfTheFuzzer";

void RequireShowable(std::string_view text) {
  RequireOneLine(text);
  Require(text.find(kSecret) == text.npos, "a message shows no secret");
}

void CheckBase(const std::string& base) {
  Require(base.starts_with("http://") || base.starts_with("https://"), "a server is asked over HTTP");
  const auto is_unsafe = [](char c) { return c <= 0x20 || c >= 0x7f; };
  Require(std::ranges::none_of(base, is_unsafe), "a URL for requests has no blank or control character");
  // What follows a second `://` is a path, which may be any text.
  Require(base.find(kSecret) == base.npos || base.find("://") != base.rfind("://"), "a URL for requests has no secret");
}

void CheckLocation(const std::string& text) {
  ForgetKnownSecrets();
  try {
    const Location location = ParseLocation(text);
    RequireShowable(location.display_name);
    CheckPrefix(location.prefix, "the prefix of a location");
    const Location other = WithPrefix(location, "other_");
    RequireShowable(other.display_name);
    Require(WithPrefix(other, location.prefix).display_name == location.display_name, "a prefix can be exchanged");
    if (location.scheme == "turso") CheckBase(turso::ParseAddress(location).base);
    if (location.scheme == "supabase") CheckBase(supabase::ParseAddress(location).base);
  } catch (const StoreError& error) {
    Require(error.kind() == ErrorKind::kInvalid || error.kind() == ErrorKind::kAuth,
            "a location that is refused is invalid, or has a token that no server takes");
    RequireShowable(error.what());
  }
}

}  // namespace

// The text of a location. In its second and third form it has a password, and a token.
void CheckInput(std::string_view input) {
  if (input.find(kSecret) != input.npos) return;  // the fuzzer found the word, and it may be anything, such as a host
  CheckLocation(std::string(input));
  const size_t end = input.find('\n');
  if (end == input.npos) return;
  const std::string before(input.substr(0, end));
  const std::string after(input.substr(end + 1));
  CheckLocation(before + "://user:" + std::string(kSecret) + '@' + after);
  CheckLocation(before + "://host/?authToken=" + std::string(kSecret) + '&' + after);
}

}  // namespace flaky::fuzz
