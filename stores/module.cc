// SPDX-License-Identifier: MIT
#include <memory>

#include "history/masked.h"
#include "stores/driver.h"

// The one function that a module exports (module.map). Everything else in it is its own, also what the program has too.
// The build defines FLAKY_MODULE as the store's namespace.
namespace flaky::FLAKY_MODULE {
extern const Driver kDriver;
}

extern "C" const flaky::Driver* flaky_store_driver(const std::shared_ptr<flaky::KnownSecrets>& secrets) {
  flaky::UseKnownSecrets(secrets);
  return &flaky::FLAKY_MODULE::kDriver;
}
