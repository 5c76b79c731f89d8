// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_SPOOL_FOLDER_H_
#define FLAKY_RECORDER_SPOOL_FOLDER_H_

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "fixed_text.h"
#include "settings.h"
#include "warning.h"

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Creates the folder and its parents, each with mode 0700. Returns an errno; 0 if the folder already exists.
inline int MakeFolders(const Path& path) {
  const std::string_view text = path.view();
  for (std::size_t slash = text.find('/', 1);; slash = text.find('/', slash + 1)) {
    Path part;
    part += text.substr(0, slash);
    if (mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      const int error = errno;
      struct stat status;  // for an existing folder, mkdir may report EROFS or EACCES instead of EEXIST
      if (stat(part.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return error;
    }
    if (slash == std::string_view::npos) return 0;
  }
}

// Returns true if `path` is a folder, not a link to one, and belongs to this user. For names in /tmp, which another
// user could have created it.
inline bool IsOwnFolder(const char* path) {
  struct stat status;
  return lstat(path, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid();
}

// Returns true for `~` and `~/folder`, which a shell would have replaced. Other readers of variables do not: a file of
// a CI, ctest's ENVIRONMENT.
inline bool IsInHome(std::string_view path) { return path.substr(0, 2) == "~/" || path == "~"; }

// Adds a warning if the path that the setting names is relative. Not every test runs in the same folder, so its results
// may be in several places.
inline void NoteIfRelative(const Setting& setting, const Path& cwd, Warning& warning) {
  const std::string_view path = TextOf(setting);
  if (path.empty() || path[0] == '/' || IsInHome(path)) return;
  warning.Add({setting.name, " `", path, "` is relative, here to ", cwd.view(), "; set an absolute path"});
}

// Returns the variable's text if it is an absolute path, else an empty text.
inline std::string_view AbsoluteIn(const char* name) {
  const char* const text = std::getenv(name);
  return text != nullptr && *text == '/' ? std::string_view(text) : std::string_view();
}

// Returns true if the environment says where the spool is.
inline bool HasHome() {
  return !TextOf(kSpool).empty() || !AbsoluteIn("XDG_STATE_HOME").empty() || !AbsoluteIn("HOME").empty();
}

// Finds the spool's absolute path: FLAKY_TESTS_SPOOL, else `flaky/spool` in the user's state folder, else a folder in
// /tmp. `cwd` is the working folder. Returns an errno if there is no such path. Under Bazel (`under_bazel`) only an
// absolute FLAKY_TESTS_SPOOL counts, because all other folders of such a test may be deleted with its sandbox.
inline int FindSpool(const Path& cwd, bool under_bazel, Path& spool) {
  spool.Clear();
  const std::string_view given = TextOf(kSpool);
  if (under_bazel && (given.empty() || given[0] != '/')) return ENOENT;
  if (IsInHome(given)) {
    spool += AbsoluteIn("HOME");
    spool += spool.empty() ? given : given.substr(1);
    if (spool.c_str()[0] != '/') return ENOENT;
  } else if (!given.empty()) {
    if (given[0] != '/') {
      if (cwd.empty()) return ENOENT;
      spool += cwd.view();
      spool += "/";
    }
    spool += given;
  } else if (const std::string_view state = AbsoluteIn("XDG_STATE_HOME"); !state.empty()) {
    spool += state;
    spool += "/flaky/spool";
  } else if (const std::string_view home = AbsoluteIn("HOME"); !home.empty()) {
    spool += home;
    spool += "/.local/state/flaky/spool";
  } else {
    char digits[20];
    spool += "/tmp/flaky-";
    spool += DecimalText(static_cast<std::int64_t>(getuid()), digits);
    if (mkdir(spool.c_str(), 0700) != 0 && errno != EEXIST) return errno;
    if (!IsOwnFolder(spool.c_str())) return EPERM;
    spool += "/spool";
  }
  return spool.complete() ? 0 : ENAMETOOLONG;
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_SPOOL_FOLDER_H_
