#ifndef FLAKY_STORES_SUPABASE_URL_H_
#define FLAKY_STORES_SUPABASE_URL_H_

#include <string>

#include "stores/location.h"

namespace flaky::supabase {

// Where a project's REST interface is.
struct Address {
  std::string base;       // "https://HOST", perhaps with port and path, without a slash at its end
  std::string reference;  // "abcdefgh" of https://abcdefgh.supabase.co; empty for a server of one's own
  bool loopback = false;
};

// Reads a location's address: `https://PROJECT.supabase.co`, or `http://HOST[:PORT][/PATH]` of a server of one's own; a
// `/rest/v1` behind it is what is meant anyway. Throws StoreError (kInvalid) for anything else, with what to write
// instead where it is another of a project's addresses.
Address ParseAddress(const Location& location);

}  // namespace flaky::supabase

#endif  // FLAKY_STORES_SUPABASE_URL_H_
