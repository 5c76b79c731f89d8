// SPDX-License-Identifier: MIT
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "settings/ownership.h"
#include "settings/settings.h"

namespace flaky {
namespace {

// Returns the state folder in the home; empty without a home.
std::string StateInHome(const std::function<const char*(const char*)>& get) {
  const char* state = get("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return std::string(state) + "/flaky";
  const char* home = get("HOME");
  if (home != nullptr && *home == '/') return std::string(home) + "/.local/state/flaky";
  return {};
}

}  // namespace

std::string StateFolder(const std::function<const char*(const char*)>& get) {
  std::string folder = StateInHome(get);
  if (folder.empty()) folder = "/tmp/flaky-" + std::to_string(::getuid());
  return folder;
}

std::string UsableStateFolder(const std::function<const char*(const char*)>& get) {
  std::string folder = StateFolder(get);
  struct stat status {};
  if (!StateInHome(get).empty() || (::lstat(folder.c_str(), &status) != 0 && errno == ENOENT) || IsOwnFolder(folder)) {
    return folder;
  }
  throw SettingError("HOME is not set, and " + folder +
                     " is not a folder of this user, so nothing in it is read or written: set HOME, or "
                     "FLAKY_TESTS_SPOOL and the store");
}

}  // namespace flaky
