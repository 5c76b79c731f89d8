// SPDX-License-Identifier: MIT
#ifndef FLAKY_SETTINGS_OWNERSHIP_H_
#define FLAKY_SETTINGS_OWNERSHIP_H_

#include <sys/types.h>

#include <filesystem>
#include <string>

// Whose files and folders count, on a machine with several users. docs/reference/settings.md has the rules for users.
namespace flaky {

// Returns true for this user (the effective one), for root and, if this user is root by sudo, for the user who called
// sudo. Git has the same rule for the owner of a repository.
bool IsTrusted(uid_t user);

// Returns why the path does not count: it belongs to a user who is not trusted. A link and what it points to must both
// belong to trusted users. Returns an empty text if it counts, or if it does not exist.
std::string WhyNotTrusted(const std::filesystem::path& path);

// Returns true for a folder in which every user may write, such as /tmp. A search upwards outside of a repository ends
// before it, because the projects of several users are in it.
bool IsForEveryUser(const std::filesystem::path& folder);

// Returns true if the path is a folder, not a link to one, and belongs to this user (the effective one). For names in
// /tmp, which another user could have created. The recorder has the same rule (recorder/spool_folder.h).
bool IsOwnFolder(const std::string& path);

}  // namespace flaky

#endif  // FLAKY_SETTINGS_OWNERSHIP_H_
