#include "tests/servers/request_framing.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace flaky {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return lower;
}

class Http : public RequestFraming {
 public:
  Request Next(std::string_view received) override {
    constexpr std::string_view kEndOfHead = "\r\n\r\n";
    const size_t end = received.find(kEndOfHead);
    if (end == std::string_view::npos) return {};
    const size_t head_size = end + kEndOfHead.size();
    const std::string head = Lower(received.substr(0, head_size));
    for (const char* header : {"transfer-encoding", "expect"}) {
      if (head.find(std::string("\r\n") + header + ":") == std::string::npos) continue;
      throw std::runtime_error(std::string("a request with the header ") + header);
    }
    const size_t size = head_size + BodySize(head);
    return {received.size() < size ? 0 : size, true};
  }

 private:
  static size_t BodySize(const std::string& head) {
    constexpr std::string_view kName = "\r\ncontent-length:";
    const size_t at = head.find(kName);
    if (at == std::string::npos) return 0;
    const size_t digits = head.find_first_not_of(' ', at + kName.size());
    size_t size = 0;
    const auto [end, error] = std::from_chars(head.data() + digits, head.data() + head.size(), size);
    if (error != std::errc() || *end != '\r') throw std::runtime_error("an invalid Content-Length");
    return size;
  }
};

class Postgres : public RequestFraming {
 public:
  Request Next(std::string_view received) override {
    if (!session_) return StartUp(received);
    constexpr size_t kHead = 5;  // a letter and the length, which does not count the letter
    size_t at = 0;
    while (received.size() >= at + kHead) {
      const size_t length = Number(received, at + 1);
      if (length < 4) throw std::runtime_error("an invalid message of PostgreSQL's protocol");
      const size_t next = at + 1 + length;
      if (received.size() < next) break;
      const char type = received[at];
      if (type == 'X') return {next, false};
      if (std::string_view("QSHcfFp").find(type) != std::string_view::npos) return {next, true};
      at = next;
    }
    return {};
  }

 private:
  static constexpr uint32_t kCancel = 80877102, kTls = 80877103, kGss = 80877104;

  static uint32_t Number(std::string_view bytes, size_t at) {
    uint32_t number = 0;
    for (size_t i = at; i < at + 4; ++i) number = number << 8 | static_cast<unsigned char>(bytes[i]);
    return number;
  }

  Request StartUp(std::string_view received) {
    if (received.size() < 8) return {};
    const size_t size = Number(received, 0);
    if (size < 8) throw std::runtime_error("an invalid start-up packet of PostgreSQL's protocol");
    if (received.size() < size) return {};
    const uint32_t code = Number(received, 4);
    session_ = code != kTls && code != kGss;  // these ask for encryption; the start-up packet follows
    return {size, code != kCancel};
  }

  bool session_ = false;
};

}  // namespace

std::unique_ptr<RequestFraming> HttpFraming() { return std::make_unique<Http>(); }
std::unique_ptr<RequestFraming> PostgresFraming() { return std::make_unique<Postgres>(); }

}  // namespace flaky
