// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_STORES_SCRIPTED_SERVER_H_
#define FLAKY_TESTS_STORES_SCRIPTED_SERVER_H_

#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "tests/servers/sockets.h"

namespace flaky {

// A malicious HTTP server: slow, endless, or whatever its script does. Serves one connection after the other.
class ScriptedServer {
 public:
  // Sends bytes to the client. Returns false if the client has gone or the server ends; then the script must return.
  using Send = std::function<bool(std::string_view bytes)>;
  // Called for each connection when its first bytes have arrived. The connection is closed when it returns.
  using Script = std::function<void(const Send& send)>;

  explicit ScriptedServer(Script script)
      : script_(std::move(script)), listener_(Listen(port_)), thread_([this] { Serve(); }) {}
  ~ScriptedServer() {
    stop_ = true;
    thread_.join();
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  // Returns a script that sends `head`, and then one byte of `rest` after the other, again and again, 20 each second.
  static Script Trickle(std::string head, std::string rest) {
    return [head = std::move(head), rest = std::move(rest)](const Send& send) {
      bool connected = send(head);
      for (size_t i = 0; connected; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        connected = send(std::string_view(rest).substr(i % rest.size(), 1));
      }
    };
  }
  // Returns a script that sends `head`, and then `rest` again and again, as fast as the client takes it.
  static Script Repeat(std::string head, std::string rest) {
    return [head = std::move(head), rest = std::move(rest)](const Send& send) {
      bool connected = send(head);
      while (connected) connected = send(rest);
    };
  }

 private:
  static constexpr int kSliceMs = 20;

  bool Wait(int descriptor, short event) const {
    pollfd ready{descriptor, event, 0};
    while (!stop_) {
      if (poll(&ready, 1, kSliceMs) > 0) return true;
    }
    return false;
  }

  void Serve() {
    while (Wait(listener_.get(), POLLIN)) {
      const FileDescriptor client(accept(listener_.get(), nullptr, nullptr));
      if (client.get() < 0 || !Wait(client.get(), POLLIN)) continue;
      char request[4096];
      if (recv(client.get(), request, sizeof request, 0) <= 0) continue;
      script_([&](std::string_view bytes) {
        while (!bytes.empty()) {
          if (!Wait(client.get(), POLLOUT)) return false;
          const ssize_t sent = send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
          if (sent <= 0) return false;
          bytes.remove_prefix(static_cast<size_t>(sent));
        }
        return !stop_;
      });
    }
  }

  const Script script_;
  int port_ = 0;
  FileDescriptor listener_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_STORES_SCRIPTED_SERVER_H_
