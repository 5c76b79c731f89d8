// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_POSTGRES_CONNINFO_H_
#define FLAKY_STORES_POSTGRES_CONNINFO_H_

#include <string>

#include "stores/location.h"

namespace flaky::postgres {

// Returns the connection string: the location's settings, UTF-8 as encoding, and our defaults for what neither the
// location, the PG* variables nor a service file sets (timeouts for connecting and for noticing a dead server, our
// name). It may contain a password. Throws StoreError (kInvalid), without secrets, if libpq wouldn't understand it.
std::string ConnectionSettings(const Location& location);

}  // namespace flaky::postgres

#endif  // FLAKY_STORES_POSTGRES_CONNINFO_H_
