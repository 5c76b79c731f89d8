// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_DRIVERS_H_
#define FLAKY_STORES_DRIVERS_H_

#include <string_view>

#include "stores/driver.h"

// The drivers that a program is built with. Two sources define these functions, and each program has one of them:
// drivers_linked.cc is part of the library, for programs that link all drivers; drivers_loaded.cc is part of the
// program `flaky`, which loads a driver when a store of that kind is opened. Loading the client libraries of all stores
// takes longer than everything that it does with SQLite.
namespace flaky {

// Returns true if this build has the store.
bool HasDriver(std::string_view store);

// Returns the store's driver, or null if this build does not have it. Throws StoreError (kPermanent) if it cannot be
// loaded.
const Driver* GetDriver(std::string_view store);

}  // namespace flaky

#endif  // FLAKY_STORES_DRIVERS_H_
