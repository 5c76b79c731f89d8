#ifndef FLAKY_SETTINGS_STORE_PAIR_H_
#define FLAKY_SETTINGS_STORE_PAIR_H_

#include <string>

#include "stores/location.h"

// For commands that work on two stores: the old one (the source) and the new one (the target).
namespace flaky {

// How a command names its two stores, for messages.
struct StoreOptions {
  std::string command;  // "verify"
  std::string source;   // "--source"
  std::string target;   // "--target"
};

// Returns true if both are one store.
bool AreSameStore(const Location& one, const Location& other);

// Throws SettingError if both are one store: copying or comparing it with itself would find everything equal and prove
// nothing.
void RefuseSameStore(const StoreOptions& options, const Location& source, const Location& target);

}  // namespace flaky

#endif  // FLAKY_SETTINGS_STORE_PAIR_H_
