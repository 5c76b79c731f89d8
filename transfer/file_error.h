// SPDX-License-Identifier: MIT
#ifndef FLAKY_TRANSFER_FILE_ERROR_H_
#define FLAKY_TRANSFER_FILE_ERROR_H_

#include <string>

namespace flaky {

// Throws StoreError for `operation` ("read the file") on `path` with the text of `error`, an errno. The kind is
// kMissing if the file or its folder does not exist, kAuth if access is denied, and kPermanent otherwise.
[[noreturn]] void ThrowFileError(const std::string& path, const std::string& operation, int error);

}  // namespace flaky

#endif  // FLAKY_TRANSFER_FILE_ERROR_H_
