// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_HTTP_AUTHORITIES_H_
#define FLAKY_STORES_HTTP_AUTHORITIES_H_

#include <optional>
#include <string>

namespace flaky::http {

// The certificate authorities that are trusted for TLS, each a path as libcurl takes it.
struct Authorities {
  std::optional<std::string> file;    // certificates in PEM
  std::optional<std::string> folder;  // folders with one certificate per file, named by their hash, separated by colons

  bool operator==(const Authorities&) const = default;
};

// Returns the authorities that the environment names, in the order of curl: CURL_CA_BUNDLE, else SSL_CERT_FILE and
// SSL_CERT_DIR together. An empty variable counts as not set. Returns nullopt if none is set: then those of the system
// are trusted. Otherwise only these are. `get` is as std::getenv.
std::optional<Authorities> AuthoritiesOf(const char* (*get)(const char* name));

// Reads the environment of this process.
std::optional<Authorities> AuthoritiesOfEnvironment();

}  // namespace flaky::http

#endif  // FLAKY_STORES_HTTP_AUTHORITIES_H_
