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

// TCP sockets on 127.0.0.1. Bind returns an empty descriptor (-1) if the port is in use, Connect if no process listens
// on it. Other errors are thrown as std::runtime_error.
FileDescriptor Bind(int port);     // 0: any port
FileDescriptor Listen(int& port);  // on any port, which is stored in `port`
FileDescriptor Connect(int port);

// Makes the socket send small packets without delay, and SendAll fail if the other side takes no bytes for a minute.
// Connect calls it.
void Prepare(const FileDescriptor& socket);

// Sends all bytes. Returns false if the other side has closed the connection.
bool SendAll(const FileDescriptor& socket, std::string_view bytes);

// Closes the socket with a reset instead of an orderly end.
void Reset(FileDescriptor& socket);

}  // namespace flaky

#endif  // FLAKY_TESTS_SERVERS_SOCKETS_H_
