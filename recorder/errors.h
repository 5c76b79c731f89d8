// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_ERRORS_H_
#define FLAKY_RECORDER_ERRORS_H_

#include <cerrno>
#include <string_view>

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Returns the text of an error number. Unlike strerror, it is the same in every locale and allocates nothing.
inline std::string_view ErrorText(int error) {
  switch (error) {
    case EACCES:
      return "Permission denied";
    case EAGAIN:
      return "Resource temporarily unavailable";
    case EDQUOT:
      return "Disk quota exceeded";
    case EEXIST:
      return "File exists";
    case EFAULT:
      return "The journal was truncated";
    case EFBIG:
      return "File too large (RLIMIT_FSIZE)";
    case EINVAL:
      return "Invalid argument";
    case EIO:
      return "Input/output error";
    case EISDIR:
      return "Is a directory";
    case ELOOP:
      return "Too many levels of symbolic links";
    case EMFILE:
      return "Too many open files";
    case ENAMETOOLONG:
      return "File name too long";
    case ENFILE:
      return "Too many open files in system";
    case ENODEV:
      return "No such device (the file system cannot map files)";
    case ENOENT:
      return "No such file or directory";
    case ENOEXEC:
      return "Exec format error";
    case ENOMEM:
      return "Cannot allocate memory";
    case ENOSPC:
      return "No space left on device";
    case ENOTDIR:
      return "Not a directory";
    case EPERM:
      return "Operation not permitted";
    case EROFS:
      return "Read-only file system";
    case ESTALE:
      return "The file was replaced";
    case ETIMEDOUT:
      return "A thread held the journal's lock too long";
    default:
      return "unexpected error";
  }
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_ERRORS_H_
