// SPDX-License-Identifier: MIT
#ifndef FLAKY_SETTINGS_STORE_IDENTITY_H_
#define FLAKY_SETTINGS_STORE_IDENTITY_H_

#include <string>

#include "stores/location.h"

namespace flaky {

// Returns 32 hexadecimal digits that identify a store in this user's notes about it: a hash of all that decides where
// its tables are. This includes what is not shown (Location::display_name), such as the user's role, and the variables
// from which libpq completes an address. It does not depend on passwords and tokens, so that nobody can try out a
// password on a note, and so that a new token keeps the identity.
std::string StoreIdentity(const Location& location);

}  // namespace flaky

#endif  // FLAKY_SETTINGS_STORE_IDENTITY_H_
