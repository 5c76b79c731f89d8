#include "transfer/file_error.h"

#include <cerrno>
#include <system_error>

#include "stores/error.h"

namespace flaky {
namespace {

ErrorKind KindOf(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return ErrorKind::kMissing;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorKind::kAuth;
    default:
      return ErrorKind::kPermanent;
  }
}

}  // namespace

void ThrowFileError(const std::string& path, const std::string& operation, int error) {
  throw StoreError(KindOf(error), path, operation, "", std::generic_category().message(error));
}

}  // namespace flaky
