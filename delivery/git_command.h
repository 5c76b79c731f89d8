// SPDX-License-Identifier: MIT
#ifndef FLAKY_DELIVERY_GIT_COMMAND_H_
#define FLAKY_DELIVERY_GIT_COMMAND_H_

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "delivery/subprocess.h"

namespace flaky {

// What a call of git gets besides its arguments.
struct GitExtras {
  std::vector<std::string> settings{};     // for `-c`
  std::vector<std::string> environment{};  // `NAME=value`
  std::string input{};                     // its stdin
};

// Runs git with these arguments in a folder. Starts no program that a configuration names, except for the filters that
// the settings leave. Never prompts, fetches or refreshes the index.
CommandOutput Git(const std::filesystem::path& top, const std::vector<std::string>& arguments,
                  std::chrono::steady_clock::time_point deadline, size_t limit, const GitExtras& extras = {});

}  // namespace flaky

#endif  // FLAKY_DELIVERY_GIT_COMMAND_H_
