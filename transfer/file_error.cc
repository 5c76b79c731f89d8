// SPDX-License-Identifier: MIT
#include "transfer/file_error.h"

#include <system_error>

#include "stores/error.h"

namespace flaky {
void ThrowFileError(const std::string& path, const std::string& operation, int error) {
  throw StoreError(KindOfErrno(error), path, operation, "", std::generic_category().message(error));
}

}  // namespace flaky
