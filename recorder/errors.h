#ifndef FLAKY_RECORDER_ERRORS_H_
#define FLAKY_RECORDER_ERRORS_H_

#include <cerrno>
#include <string_view>

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Puts errno back as it was: an assertion that is recorded must not change what the test reads after it.
class ErrnoKept {
 public:
  ErrnoKept() : errno_(errno) {}
  ErrnoKept(const ErrnoKept&) = delete;
  ErrnoKept& operator=(const ErrnoKept&) = delete;
  ~ErrnoKept() { errno = errno_; }

 private:
  const int errno_;
};

// What an error number means, in the same words in every locale and without allocation (strerror promises neither).
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
      return "A thread kept the journal's lock";
    default:
      return "unexpected error";
  }
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_ERRORS_H_
