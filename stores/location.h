#ifndef FLAKY_STORES_LOCATION_H_
#define FLAKY_STORES_LOCATION_H_

#include <string>
#include <string_view>

#include "history/secret.h"

namespace flaky {

inline constexpr std::string_view kDefaultPrefix = "flaky_test_";

// Where a store is and how to open it. Made by ParseLocation, so that every part of it is well formed.
struct Location {
  std::string scheme;  // the store's name: "sqlite"
  Secret address;      // what the scheme's store understands: a path, a connection string (which may hold a password)
  Secret token;        // FLAKY_TESTS_AUTH_TOKEN, for stores that want one
  std::string prefix = std::string(kDefaultPrefix);  // of the tables' names: [a-z0-9_], at most 40 characters

  // The location as it may be shown: without password or token.
  std::string display_name;
};

// Reads `STORE:ADDRESS`, or a URL whose scheme tells the store (`libsql://…`, `postgresql://…`), with an optional
// `prefix=NAME` behind the `?` for the tables, which counts more than `default_prefix`; the other options of a URL are
// left to its store. Throws StoreError of kind kInvalid that names the text (without secrets), what is wrong with it
// and what is understood: no or an unknown store, an empty address, an unknown option, a prefix with other characters
// than [a-z0-9_].
Location ParseLocation(std::string_view text, std::string_view default_prefix = kDefaultPrefix);

// The tables with another prefix in the same place. Precondition: it passed CheckPrefix.
Location WithPrefix(Location location, std::string_view prefix);

// The name of the store that the text begins with, by its own name or as the scheme of a URL; empty: with none.
std::string StoreOf(std::string_view text);

// Throws StoreError (kInvalid) unless `prefix` may begin a table's name. `where` says in the message what it came from.
void CheckPrefix(std::string_view prefix, std::string_view where);

}  // namespace flaky

#endif  // FLAKY_STORES_LOCATION_H_
