// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SUPABASE_URL_H_
#define FLAKY_STORES_SUPABASE_URL_H_

#include <string>

#include "stores/location.h"

namespace flaky::supabase {

// The address of a project's REST interface.
struct Address {
  std::string base;       // "https://HOST", possibly with port and path, without a final slash
  std::string reference;  // "abcdefgh" of https://abcdefgh.supabase.co; empty for a self-hosted server
  bool loopback = false;
};

// Parses a location's address: `https://PROJECT.supabase.co`, or `http://HOST[:PORT][/PATH]` for a self-hosted server.
// A final `/rest/v1` is ignored. Throws StoreError (kInvalid) for anything else. If it is another address of a project,
// the message says what to write instead.
Address ParseAddress(const Location& location);

}  // namespace flaky::supabase

#endif  // FLAKY_STORES_SUPABASE_URL_H_
