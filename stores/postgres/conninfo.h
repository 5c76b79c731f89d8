#ifndef FLAKY_STORES_POSTGRES_CONNINFO_H_
#define FLAKY_STORES_POSTGRES_CONNINFO_H_

#include <string>

#include "stores/location.h"

namespace flaky::postgres {

// What to connect with: the location's settings, text in UTF-8, and defaults of ours for what neither the location, the
// PG* variables nor a service file says: how long to wait for a server, how soon a dead one is noticed, our name. It
// may hold a password. Throws StoreError (kInvalid), without secrets, for what libpq would not understand.
std::string ConnectionSettings(const Location& location);

}  // namespace flaky::postgres

#endif  // FLAKY_STORES_POSTGRES_CONNINFO_H_
