#ifndef FLAKY_STORES_TURSO_URL_H_
#define FLAKY_STORES_TURSO_URL_H_

#include <string>

#include "history/secret.h"
#include "stores/location.h"

namespace flaky::turso {

// Where a libSQL server is reached by HTTP, and with which token.
struct Address {
  std::string base;  // "https://HOST", perhaps with port and path, without a slash at its end; no secret is in it
  Secret token;      // empty: none
  bool loopback = false;
};

// Reads a location's address as the official clients do:
//
//   libsql://HOST[:PORT][/PATH][?tls=0|1][&authToken=TOKEN]
//
// `https://` and `http://` say themselves whether TLS is spoken; of libsql it is unless `tls=0` says otherwise, and
// then the port has to be named. `wss://` and `ws://` are the same server's other protocol and taken as https and http.
// A token in the URL counts more than the location's. Throws StoreError (kInvalid), with neither the query nor a token
// in it, for anything else.
Address ParseAddress(const Location& location);

}  // namespace flaky::turso

#endif  // FLAKY_STORES_TURSO_URL_H_
