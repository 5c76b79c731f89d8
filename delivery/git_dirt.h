// SPDX-License-Identifier: MIT
#ifndef FLAKY_DELIVERY_GIT_DIRT_H_
#define FLAKY_DELIVERY_GIT_DIRT_H_

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "delivery/subprocess.h"

namespace flaky {

// Runs git with these arguments in a folder, with further `-c` settings, and starts no program that a configuration
// names, except the filters that the settings leave.
using RunGit = std::function<CommandOutput(const std::filesystem::path& top, const std::vector<std::string>& arguments,
                                           std::chrono::steady_clock::time_point deadline, size_t limit,
                                           const std::vector<std::string>& settings)>;

// Returns whether tracked files differ from the commit, in the working tree `top` or in one of its submodules. Starts
// no filter (`filter.<name>.clean`, `.process`). So if the only files that changed on disk pass through a filter, it is
// unknown whether what git would store has changed: then, and if git fails, the result is nullopt.
std::optional<bool> IsDirty(const std::filesystem::path& top, const RunGit& git,
                            std::chrono::steady_clock::time_point deadline);

}  // namespace flaky

#endif  // FLAKY_DELIVERY_GIT_DIRT_H_
