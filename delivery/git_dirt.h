// SPDX-License-Identifier: MIT
#ifndef FLAKY_DELIVERY_GIT_DIRT_H_
#define FLAKY_DELIVERY_GIT_DIRT_H_

#include <chrono>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace flaky {

// Returns whether tracked files differ from the commit, in the working tree `top` or in one of its submodules. Starts
// no filter (`filter.<name>.clean`, `.process`). So if the only files that changed on disk pass through a filter, it is
// unknown whether what git would store has changed: then, and if git fails, the result is nullopt.
std::optional<bool> IsDirty(const std::filesystem::path& top, std::chrono::steady_clock::time_point deadline);

// The same for the submodules alone.
std::optional<bool> HasDirtySubmodule(const std::filesystem::path& top, std::chrono::steady_clock::time_point deadline);

// Returns the names of the filters that the configuration has; nullopt if git fails, or if a name cannot be overridden.
std::optional<std::set<std::string>> GitFilters(const std::filesystem::path& top,
                                                std::chrono::steady_clock::time_point deadline);

// Returns settings that switch all these filters off.
std::vector<std::string> WithoutFilters(const std::set<std::string>& filters);

// Returns whether one of the files passes through one of these filters or, with `filtered` false, whether one passes
// through none of them; nullopt if git fails.
std::optional<bool> HasOne(bool filtered, const std::vector<std::string>& files, const std::set<std::string>& filters,
                           const std::filesystem::path& top, std::chrono::steady_clock::time_point deadline);

// Returns the texts of git's `-z`, each of which ends with NUL.
std::vector<std::string> AtNul(std::string_view text);

}  // namespace flaky

#endif  // FLAKY_DELIVERY_GIT_DIRT_H_
