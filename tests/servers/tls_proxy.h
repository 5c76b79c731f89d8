// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_SERVERS_TLS_PROXY_H_
#define FLAKY_TESTS_SERVERS_TLS_PROXY_H_

#include <memory>
#include <string>

#include "tests/servers/certificates.h"

namespace flaky {

// A server on 127.0.0.1 that speaks TLS, in threads of this process. It forwards what its clients send to a server on
// 127.0.0.1 without TLS, and the answers back. Throws std::runtime_error.
class TlsProxy {
 public:
  TlsProxy(const ServerCertificate& certificate, int server_port);
  ~TlsProxy();
  TlsProxy(const TlsProxy&) = delete;
  TlsProxy& operator=(const TlsProxy&) = delete;

  int port() const;

  // Returns all that clients have sent, decrypted.
  std::string received() const;
  // Returns how often a client has ended the handshake successfully.
  int handshakes() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_SERVERS_TLS_PROXY_H_
