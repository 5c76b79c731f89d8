// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_LOCATION_H_
#define FLAKY_STORES_LOCATION_H_

#include <string>
#include <string_view>

#include "history/secret.h"

namespace flaky {

inline constexpr std::string_view kDefaultPrefix = "flaky_test_";

// The place of a store, and how to open it. ParseLocation makes it, so that every part is well formed.
struct Location {
  std::string scheme;  // the store's name: "sqlite"
  Secret address;      // in the form that the store understands: a path, or a connection string with a password
  Secret token;        // FLAKY_TESTS_AUTH_TOKEN, for stores that need one
  std::string prefix = std::string(kDefaultPrefix);  // of the tables' names: [a-z0-9_], at most 40 characters

  // The location without user, password and token; without the address, unless all of it has the usual form.
  std::string display_name;
};

// Parses `STORE:ADDRESS`, or a URL whose scheme names the store (`libsql://…`, `postgresql://…`). An option
// `prefix=NAME` after the `?` overrides `default_prefix`; the other options of a URL are left to its store. Throws
// StoreError (kInvalid), which does not contain the text, but says what is wrong with it and what is expected: no store
// or an unknown one, an empty address, a URL instead of a path, an unknown option, a prefix with characters other than
// [a-z0-9_].
Location ParseLocation(std::string_view text, std::string_view default_prefix = kDefaultPrefix);

// Returns the same location with another prefix. Precondition: the prefix passed CheckPrefix.
Location WithPrefix(Location location, std::string_view prefix);

// Returns the name of the store with which the text begins, by its own name or as the scheme of a URL. Returns an empty
// text if it begins with no such name.
std::string StoreOf(std::string_view text);

// Throws StoreError (kInvalid) unless `prefix` may begin a table's name. `where`: its origin, for the message.
void CheckPrefix(std::string_view prefix, std::string_view where);

}  // namespace flaky

#endif  // FLAKY_STORES_LOCATION_H_
