// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_TURSO_URL_H_
#define FLAKY_STORES_TURSO_URL_H_

#include <string>

#include "history/secret.h"
#include "stores/location.h"

namespace flaky::turso {

// The address of a libSQL server for HTTP, and the token for it.
struct Address {
  std::string base;  // "https://HOST", possibly with port and path, without a final slash, without secrets
  Secret token;      // may be empty
  bool loopback = false;
};

// Parses a location's address in the way of the official clients:
//
//   libsql://HOST[:PORT][/PATH][?tls=0|1][&authToken=TOKEN]
//
// `https://` and `http://` say whether TLS is used. `libsql://` uses TLS unless the query has `tls=0`, and then the
// port is required. `wss://` and `ws://` name another protocol of the same server; they are taken for https and http. A
// token in the URL overrides the location's. Throws StoreError (kInvalid) for anything else; its message contains
// neither the query nor a token.
Address ParseAddress(const Location& location);

}  // namespace flaky::turso

#endif  // FLAKY_STORES_TURSO_URL_H_
