// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_ENVIRONMENT_H_
#define FLAKY_RECORDER_ENVIRONMENT_H_

#include <unistd.h>

#include <cstddef>
#include <string_view>

#include "arguments.h"

extern "C" {
extern char** environ;  // not every C library declares it
}

// The environment, without getenv(), which test programs replace.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Returns the variables, each `NAME=value`, ended by null. If the program has cleared its environment before its tests,
// returns the one that it was started with, so that its results join those of its siblings.
inline char** Environment() {
  if (environ != nullptr && *environ != nullptr) return environ;
  return first_environment != nullptr ? first_environment : environ;
}

// Returns the variable's text, without data() if it is not set. Valid until the environment changes.
inline std::string_view Variable(std::string_view name) {
  for (char** entry = Environment(); entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (text.size() > name.size() && text[name.size()] == '=' && text.substr(0, name.size()) == name) {
      return text.substr(name.size() + 1);
    }
  }
  return {};
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_ENVIRONMENT_H_
