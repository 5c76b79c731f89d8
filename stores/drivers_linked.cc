// SPDX-License-Identifier: MIT
#include <algorithm>
#include <span>

#include "stores/drivers.h"

namespace flaky {

// The build defines FLAKY_DRIVERS as `FLAKY_DRIVER(sqlite) FLAKY_DRIVER(postgres) …` for the stores that it has.
#define FLAKY_DRIVER(store)    \
  namespace store {            \
  extern const Driver kDriver; \
  }
FLAKY_DRIVERS
#undef FLAKY_DRIVER

const Driver* GetDriver(std::string_view store) {
#define FLAKY_DRIVER(store) &store::kDriver,
  static const Driver* const drivers[] = {FLAKY_DRIVERS nullptr};
#undef FLAKY_DRIVER
  const std::span linked(drivers, std::size(drivers) - 1);
  const auto found = std::ranges::find(linked, store, [](const Driver* driver) { return driver->name; });
  return found == linked.end() ? nullptr : *found;
}

bool HasDriver(std::string_view store) { return GetDriver(store) != nullptr; }

}  // namespace flaky
