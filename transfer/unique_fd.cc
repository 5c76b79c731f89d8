// SPDX-License-Identifier: MIT
#include "transfer/unique_fd.h"

#include <unistd.h>

namespace flaky {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace flaky
