#ifndef FLAKY_TESTS_STORES_CANNED_SERVER_H_
#define FLAKY_TESTS_STORES_CANNED_SERVER_H_

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/servers/sockets.h"

namespace flaky {

// A faulty HTTP server. It answers the n-th request with the n-th of its texts, byte for byte, and all further requests
// with the last one. For an empty text it neither answers nor closes the connection. After a text without a length it
// closes the connection. Keeps the requests.
class CannedServer {
 public:
  explicit CannedServer(std::vector<std::string> answers)
      : answers_(std::move(answers)), listener_(Listen(port_)), thread_([this] { Serve(); }) {}
  ~CannedServer() {
    shutdown(listener_.get(), SHUT_RDWR);
    stop_ = true;
    thread_.join();
  }
  CannedServer(const CannedServer&) = delete;
  CannedServer& operator=(const CannedServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  int connections() const { return connections_; }

  // Returns an answer with the headers it needs.
  static std::string Answer(const std::string& status, const std::string& body, const std::string& headers = "") {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" +
           body;
  }

 private:
  void Serve() {
    while (!stop_) {
      FileDescriptor client(accept(listener_.get(), nullptr, nullptr));
      if (client.get() < 0) continue;
      ++connections_;
      while (ServeOne(client)) {
      }
    }
  }

  // Returns false if the connection has ended.
  bool ServeOne(const FileDescriptor& client) {
    std::string request;
    while (!IsWhole(request)) {
      pollfd ready{client.get(), POLLIN, 0};
      if (stop_) return false;
      if (poll(&ready, 1, 20) <= 0) continue;
      char bytes[4096];
      const ssize_t got = recv(client.get(), bytes, sizeof bytes, 0);
      if (got <= 0) return false;
      request.append(bytes, static_cast<size_t>(got));
    }
    std::string answer;
    {
      const std::lock_guard lock(mutex_);
      answer = answers_[std::min(requests_.size(), answers_.size() - 1)];
      requests_.push_back(std::move(request));
    }
    if (answer.empty()) {
      while (!stop_) std::this_thread::sleep_for(std::chrono::milliseconds(10));
      return false;
    }
    return SendAll(client, answer) && answer.find("Content-Length") != answer.npos;
  }

  static bool IsWhole(const std::string& request) {
    const size_t end = request.find("\r\n\r\n");
    if (end == request.npos) return false;
    const size_t length = request.find("Content-Length: ");
    const size_t body = length < end ? std::stoul(request.substr(length + 16)) : 0;
    return request.size() >= end + 4 + body;
  }

  std::vector<std::string> answers_;
  int port_ = 0;
  FileDescriptor listener_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::atomic<int> connections_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_STORES_CANNED_SERVER_H_
