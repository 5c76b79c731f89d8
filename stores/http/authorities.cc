// SPDX-License-Identifier: MIT
#include "stores/http/authorities.h"

#include <cstdlib>
#include <utility>

namespace flaky::http {

std::optional<Authorities> AuthoritiesOf(const char* (*get)(const char* name)) {
  const auto value = [&](const char* name) {
    const char* const text = get(name);
    return text == nullptr || *text == '\0' ? std::nullopt : std::optional<std::string>(text);
  };
  if (const auto bundle = value("CURL_CA_BUNDLE")) return Authorities{bundle, std::nullopt};
  Authorities named{value("SSL_CERT_FILE"), value("SSL_CERT_DIR")};
  return named == Authorities() ? std::nullopt : std::optional(std::move(named));
}

std::optional<Authorities> AuthoritiesOfEnvironment() {
  return AuthoritiesOf([](const char* name) -> const char* { return std::getenv(name); });
}

}  // namespace flaky::http
