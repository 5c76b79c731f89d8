#ifndef FLAKY_TESTS_SERVERS_SOCKETS_H_
#define FLAKY_TESTS_SERVERS_SOCKETS_H_

#include <unistd.h>

#include <string_view>
#include <utility>

namespace flaky {

// A descriptor, closed at the end of the scope.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  ~FileDescriptor() { Close(); }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

// TCP sockets on 127.0.0.1. Bind gives an empty descriptor (-1) where the port is taken, Connect where nobody listens;
// anything else is a std::runtime_error.
FileDescriptor Bind(int port);     // 0: any
FileDescriptor Listen(int& port);  // on any port, which is told
FileDescriptor Connect(int port);

// Bytes leave at once, and SendAll gives up when nobody takes them for half a minute. Connect has done so.
void Prepare(const FileDescriptor& socket);

// False when the other side is gone.
bool SendAll(const FileDescriptor& socket, std::string_view bytes);

// Closes it with a reset instead of an orderly end.
void Reset(FileDescriptor& socket);

}  // namespace flaky

#endif  // FLAKY_TESTS_SERVERS_SOCKETS_H_
