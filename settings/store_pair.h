#ifndef FLAKY_SETTINGS_STORE_PAIR_H_
#define FLAKY_SETTINGS_STORE_PAIR_H_

#include <string>

#include "settings/locations.h"

// What commands that are about two stores have in common: the old one, the source, and the new one, the target.
namespace flaky {

// How a command names its two stores, for messages.
struct StoreOptions {
  std::string command;  // "verify"
  std::string source;   // "--source"
  std::string target;   // "--target"
};

// The store that the text behind the option names, else the one of FLAKY_TESTS_SOURCE_*, else of FLAKY_TESTS_*. Throws
// SettingError, also where no source is named at all, and StoreError (kInvalid).
Location SourceOf(const Settings& settings, const StoreOptions& options, const std::string& text);
Location TargetOf(const Settings& settings, const StoreOptions& options, const std::string& text);

// Whether both are one.
bool AreSameStore(const Location& one, const Location& other);

// Throws SettingError where both are one: copying or comparing it with itself would find everything equal and prove
// nothing.
void RefuseSameStore(const StoreOptions& options, const Location& source, const Location& target);

}  // namespace flaky

#endif  // FLAKY_SETTINGS_STORE_PAIR_H_
