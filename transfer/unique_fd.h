// SPDX-License-Identifier: MIT
#ifndef FLAKY_TRANSFER_UNIQUE_FD_H_
#define FLAKY_TRANSFER_UNIQUE_FD_H_

#include <utility>

namespace flaky {

// Owns a file descriptor and closes it. -1 means no descriptor.
class UniqueFd {
 public:
  explicit UniqueFd(int fd = -1) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd();

  explicit operator bool() const { return fd_ >= 0; }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_UNIQUE_FD_H_
