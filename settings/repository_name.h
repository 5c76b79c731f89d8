// SPDX-License-Identifier: MIT
#ifndef FLAKY_SETTINGS_REPOSITORY_NAME_H_
#define FLAKY_SETTINGS_REPOSITORY_NAME_H_

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

// What a git repository is called, so that all of its worktrees and clones have one name. Reads git's files and starts
// no process: every command needs the name.
namespace flaky {

// Returns the name of the repository whose working tree has the top folder `top`. This is the last part of the URL of
// its remote (RemoteUrl), without `.git`. A remote that is a repository on this machine has the name that this
// repository has. Without a remote, it is the name of the main working tree's folder, or of the bare repository.
// Storable text (history/text.h); empty only for a repository in the root folder.
std::string RepositoryName(const std::filesystem::path& top);

// Returns the URL of the remote that names the repository, from the text of its configuration: of `origin`, else of the
// first one. Nullopt without one. What other files add by `include` does not count.
std::optional<std::string> RemoteUrl(std::string_view config);

// Returns the last part of a URL's path, or of a path, without `.git`. Returns an empty text without a path, or if the
// part may hold a password because the URL is malformed.
std::string NameInUrl(std::string_view url);

}  // namespace flaky

#endif  // FLAKY_SETTINGS_REPOSITORY_NAME_H_
