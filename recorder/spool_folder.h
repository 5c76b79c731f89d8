// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_SPOOL_FOLDER_H_
#define FLAKY_RECORDER_SPOOL_FOLDER_H_

#include <cerrno>
#include <string_view>

#include "environment.h"
#include "fixed_text.h"
#include "settings.h"
#include "system_calls.h"
#include "warning.h"

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Creates the folder and its parents, each with mode 0700. `part` is room for a path. Returns an errno; 0 if the folder
// already exists.
inline int MakeFolders(const Path& path, Path& part) {
  const std::string_view text = path.view();
  for (std::size_t slash = text.find('/', 1);; slash = text.find('/', slash + 1)) {
    part.Clear();
    part += text.substr(0, slash);
    const long error = sys::MakeFolder(part.c_str(), 0700);
    if (error != 0 && error != -EEXIST) {
      sys::Status status;  // for an existing folder, mkdir may report EROFS or EACCES instead of EEXIST
      if (sys::StatusOf(part.c_str(), status) != 0 || !S_ISDIR(status.mode)) return static_cast<int>(-error);
    }
    if (slash == std::string_view::npos) return 0;
  }
}

// Returns true if `path` is a folder, not a link to one, and belongs to this user. For names in /tmp, which another
// user could have created it.
inline bool IsOwnFolder(const char* path) {
  sys::Status status;
  return sys::StatusOfLink(path, status) == 0 && S_ISDIR(status.mode) && status.user == sys::GetEffectiveUser();
}

// Returns true for `~` and `~/folder`, which a shell would have replaced. Other readers of variables do not: a file of
// a CI, ctest's ENVIRONMENT.
inline bool IsInHome(std::string_view path) { return path.substr(0, 2) == "~/" || path == "~"; }

// Adds a warning if the path that the setting names is relative. Not every test runs in the same folder, so its results
// may be in several places.
inline void NoteIfRelative(const Setting& setting, const Path& cwd, Warning& warning) {
  const std::string_view path = PathOf(setting);
  if (path.empty() || path[0] == '/' || IsInHome(path)) return;
  warning.Add({setting.name, " `", path, "` is relative, here to ", cwd.view(), "; set an absolute path"});
}

// Returns the variable's text if it is an absolute path, else an empty text.
inline std::string_view AbsoluteIn(const char* name) {
  const std::string_view text = Variable(name);
  return !text.empty() && text[0] == '/' ? text : std::string_view();
}

// Returns true if the environment says where the spool is.
inline bool HasHome() {
  return !PathOf(kSpool).empty() || !AbsoluteIn("XDG_STATE_HOME").empty() || !AbsoluteIn("HOME").empty();
}

// Finds the spool's absolute path: FLAKY_TESTS_SPOOL if it is a path, else `flaky/spool` in the user's state folder,
// else a folder in /tmp. `cwd` is the working folder. Returns an errno if there is no such path. Under Bazel
// (`under_bazel`) only an absolute FLAKY_TESTS_SPOOL counts, because all other folders of such a test may be deleted
// with its sandbox.
inline int FindSpool(const Path& cwd, bool under_bazel, Path& spool) {
  spool.Clear();
  const std::string_view given = PathOf(kSpool);
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
    spool += DecimalText(static_cast<std::int64_t>(sys::GetUser()), digits);
    if (const long error = sys::MakeFolder(spool.c_str(), 0700); error != 0 && error != -EEXIST) {
      return static_cast<int>(-error);
    }
    if (!IsOwnFolder(spool.c_str())) return EPERM;
    spool += "/spool";
  }
  return spool.complete() ? 0 : ENAMETOOLONG;
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_SPOOL_FOLDER_H_
