// SPDX-License-Identifier: MIT
#include "tests/servers/tls_proxy.h"

#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/servers/sockets.h"

namespace flaky {
namespace {

constexpr int kSliceMs = 20;  // how soon the end of the proxy is noticed
constexpr size_t kPiece = 16 << 10;

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* connection) const { SSL_free(connection); }
};

bool IsReadable(int descriptor) {
  pollfd ready{descriptor, POLLIN, 0};
  return poll(&ready, 1, kSliceMs) > 0;
}

}  // namespace

class TlsProxy::Impl {
 public:
  Impl(const ServerCertificate& certificate, int server_port)
      : server_port_(server_port), context_(SSL_CTX_new(TLS_server_method())), listener_(Listen(port_)) {
    if (context_ == nullptr ||
        SSL_CTX_use_certificate_file(context_.get(), certificate.certificate.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(context_.get(), certificate.key.c_str(), SSL_FILETYPE_PEM) != 1) {
      throw std::runtime_error("OpenSSL cannot use " + certificate.certificate);
    }
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~Impl() {
    stop_ = true;
    acceptor_.join();
    for (std::thread& each : connections_) each.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  int port() const { return port_; }
  int handshakes() const { return handshakes_; }
  std::string received() const {
    const std::lock_guard lock(mutex_);
    return received_;
  }

 private:
  void Accept() {
    while (!stop_) {
      if (!IsReadable(listener_.get())) continue;
      FileDescriptor client(accept(listener_.get(), nullptr, nullptr));
      if (client.get() < 0) continue;
      connections_.emplace_back([this, socket = std::move(client)] { Serve(socket); });
    }
  }

  void Serve(const FileDescriptor& client) {
    // OpenSSL writes to the socket of a client that has gone.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    const timeval limit{2, 0};
    setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const std::unique_ptr<SSL, Free> tls(SSL_new(context_.get()));
    if (tls == nullptr || SSL_set_fd(tls.get(), client.get()) != 1 || SSL_accept(tls.get()) != 1) return;
    ++handshakes_;
    const FileDescriptor server = Connect(server_port_);
    char bytes[kPiece];
    while (!stop_ && server.get() >= 0) {
      if (SSL_pending(tls.get()) > 0 || IsReadable(client.get())) {
        const int got = SSL_read(tls.get(), bytes, sizeof bytes);
        if (got <= 0) return;
        const std::string_view piece(bytes, static_cast<size_t>(got));
        {
          const std::lock_guard lock(mutex_);
          received_ += piece;
        }
        if (!SendAll(server, piece)) return;
      }
      pollfd ready{server.get(), POLLIN, 0};
      if (poll(&ready, 1, 0) > 0) {
        const ssize_t got = recv(server.get(), bytes, sizeof bytes, 0);
        if (got <= 0 || SSL_write(tls.get(), bytes, static_cast<int>(got)) <= 0) return;
      }
    }
  }

  const int server_port_;
  const std::unique_ptr<SSL_CTX, Free> context_;
  int port_ = 0;
  FileDescriptor listener_;
  mutable std::mutex mutex_;
  std::string received_;
  std::atomic<int> handshakes_ = 0;
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> connections_;
  std::thread acceptor_;
};

TlsProxy::TlsProxy(const ServerCertificate& certificate, int server_port)
    : impl_(std::make_unique<Impl>(certificate, server_port)) {}
TlsProxy::~TlsProxy() = default;

int TlsProxy::port() const { return impl_->port(); }
std::string TlsProxy::received() const { return impl_->received(); }
int TlsProxy::handshakes() const { return impl_->handshakes(); }

}  // namespace flaky
