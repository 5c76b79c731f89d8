#ifndef FLAKY_TRANSFER_FILE_ERROR_H_
#define FLAKY_TRANSFER_FILE_ERROR_H_

#include <string>

namespace flaky {

// Throws StoreError for `operation` ("read the file") on `path` with what `error`, an errno, says: kMissing where it or
// its folder is not there, kAuth where it is forbidden, kPermanent otherwise.
[[noreturn]] void ThrowFileError(const std::string& path, const std::string& operation, int error);

}  // namespace flaky

#endif  // FLAKY_TRANSFER_FILE_ERROR_H_
