#include "tests/servers/sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

namespace flaky {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

FileDescriptor NewSocket() {
  FileDescriptor made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (made.get() < 0) throw std::runtime_error(std::string("socket: ") + std::strerror(errno));
  return made;
}

}  // namespace

FileDescriptor Bind(int port) {
  FileDescriptor bound = NewSocket();
  const sockaddr_in address = Loopback(port);
  if (bind(bound.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return FileDescriptor();
  return bound;
}

FileDescriptor Listen(int& port) {
  FileDescriptor listening = Bind(0);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (listening.get() < 0 || listen(listening.get(), 128) != 0 ||
      getsockname(listening.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error(std::string("cannot listen on 127.0.0.1: ") + std::strerror(errno));
  }
  port = ntohs(address.sin_port);
  return listening;
}

FileDescriptor Connect(int port) {
  FileDescriptor connected = NewSocket();
  const sockaddr_in address = Loopback(port);
  if (connect(connected.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return FileDescriptor();
  Prepare(connected);
  return connected;
}

void Prepare(const FileDescriptor& socket) {
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval one_minute{60, 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &one_minute, sizeof one_minute);
}

bool SendAll(const FileDescriptor& socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

void Reset(FileDescriptor& socket) {
  const linger at_once{1, 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  socket.Close();
}

}  // namespace flaky
