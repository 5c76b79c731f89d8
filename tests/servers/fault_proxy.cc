#include "tests/servers/fault_proxy.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <iterator>
#include <list>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "tests/servers/fault_orders.h"
#include "tests/servers/request_framing.h"
#include "tests/servers/sockets.h"

namespace flaky {
namespace {

using namespace std::string_view_literals;

constexpr const char* kNames[] = {"CutBefore", "CutWithin", "CutAfter", "CutWithinAnswer", "Garbage", "Hang",
                                  "Delay",     "Http429",   "Http500",  "Http502",         "Http503"};

constexpr std::string_view kNoAnswer = "\x7f\xff\x00\r\n{]no answer at all\x01\x02"sv;

std::string HttpRefusal(ProxyFault fault, std::chrono::seconds retry_after) {
  const char* status = "503 Service Unavailable";
  if (fault == ProxyFault::kHttp429) status = "429 Too Many Requests";
  if (fault == ProxyFault::kHttp500) status = "500 Internal Server Error";
  if (fault == ProxyFault::kHttp502) status = "502 Bad Gateway";
  const std::string body = R"({"error":"from the fault proxy"})";
  std::string answer = std::string("HTTP/1.1 ") + status + "\r\ncontent-type: application/json\r\n";
  if (fault == ProxyFault::kHttp429) answer += "retry-after: " + std::to_string(retry_after.count()) + "\r\n";
  return answer + "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// Forwards between one client and the server, in its own thread.
class Relay {
 public:
  Relay(FileDescriptor client, int server_port, std::unique_ptr<RequestFraming> framing, FaultOrders& orders, int stop)
      : client_(std::move(client)),
        server_port_(server_port),
        framing_(std::move(framing)),
        orders_(orders),
        stop_(stop) {
    thread_ = std::thread([this] { Run(); });
  }
  // Precondition: `stop` is readable, or done().
  ~Relay() { thread_.join(); }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  bool done() const { return done_; }

 private:
  // What happens to the bytes that the server sends.
  enum class Answer { kPass, kDrop, kCut, kHalf, kGarbage };

  void Run() {
    try {
      server_ = Connect(server_port_);
      while (server_.get() >= 0 && Step()) {
      }
    } catch (const std::exception& error) {
      std::fprintf(stderr, "fault proxy: a client sent %s; its connection is cut\n", error.what());
    }
    End(client_);
    End(server_);
    done_ = true;
  }

  void End(FileDescriptor& socket) const {
    if (reset_) Reset(socket);
    socket.Close();
  }

  // Waits for bytes from either side and forwards them. Returns false when the connection ends.
  bool Step() {
    std::array<pollfd, 3> ready = {{{client_.get(), POLLIN, 0}, {server_.get(), POLLIN, 0}, {stop_, POLLIN, 0}}};
    if (poll(ready.data(), ready.size(), -1) < 0) return errno == EINTR;
    if (ready[2].revents != 0) return false;
    if (ready[1].revents != 0 && !FromServer()) return false;
    return ready[0].revents == 0 || FromClient();
  }

  // Returns the bytes that have arrived; none if the other side has closed the connection.
  std::string_view Receive(const FileDescriptor& socket) {
    ssize_t size = 0;
    do {
      size = recv(socket.get(), buffer_.data(), buffer_.size(), 0);
    } while (size < 0 && errno == EINTR);
    return {buffer_.data(), size > 0 ? static_cast<size_t>(size) : 0};
  }

  bool FromServer() {
    const std::string_view bytes = Receive(server_);
    if (bytes.empty()) return answer_ == Answer::kDrop && StayOpen();
    switch (answer_) {
      case Answer::kPass:
        return SendAll(client_, bytes);
      case Answer::kDrop:
        return true;
      case Answer::kCut:
        return false;
      case Answer::kHalf:
        SendAll(client_, bytes.substr(0, bytes.size() / 2));
        return false;
      case Answer::kGarbage:
        SendAll(client_, kNoAnswer);
        return false;
    }
    return false;
  }

  // A client that hangs continues to hang when the server closes its connection.
  bool StayOpen() {
    std::array<pollfd, 2> ready = {{{client_.get(), POLLIN, 0}, {stop_, POLLIN, 0}}};
    while (poll(ready.data(), ready.size(), -1) < 0 && errno == EINTR) {
    }
    return false;
  }

  bool FromClient() {
    const std::string_view bytes = Receive(client_);
    if (bytes.empty()) return false;
    received_.append(bytes);
    for (;;) {
      const RequestFraming::Request next = framing_->Next(received_);
      if (next.size == 0) return true;
      const std::string request = received_.substr(0, next.size);
      received_.erase(0, next.size);
      if (!(next.asks ? Pass(request) : SendAll(server_, request))) return false;
    }
  }

  bool Pass(const std::string& request) {
    const FaultOrders::Verdict verdict = orders_.Judge(request);
    if (!verdict.fault) return SendAll(server_, request);
    const auto cut = [&](bool last) {
      reset_ = verdict.reset;
      return last;
    };
    const auto answer = [&](Answer what) {
      answer_ = what;
      return SendAll(server_, request);
    };
    switch (*verdict.fault) {
      case ProxyFault::kCutBefore:
        return cut(false);
      case ProxyFault::kCutWithin:
        SendAll(server_, request.substr(0, request.size() / 2));
        return cut(false);
      case ProxyFault::kCutAfter:
        return cut(answer(Answer::kCut));
      case ProxyFault::kCutWithinAnswer:
        return answer(Answer::kHalf);  // not by a reset, which might discard the half
      case ProxyFault::kGarbage:
        return answer(Answer::kGarbage);
      case ProxyFault::kHang:
        return answer(Answer::kDrop);
      case ProxyFault::kDelay:
        return !Stopped(verdict.delay) && SendAll(server_, request);
      case ProxyFault::kHttp429:
      case ProxyFault::kHttp500:
      case ProxyFault::kHttp502:
      case ProxyFault::kHttp503:
        return SendAll(client_, HttpRefusal(*verdict.fault, verdict.retry_after));
    }
    return false;
  }

  // Waits for that time. Returns true at once if the proxy ends during it.
  bool Stopped(std::chrono::milliseconds time) const {
    pollfd ready{stop_, POLLIN, 0};
    return poll(&ready, 1, static_cast<int>(time.count())) != 0;
  }

  FileDescriptor client_;
  FileDescriptor server_;
  const int server_port_;
  const std::unique_ptr<RequestFraming> framing_;
  FaultOrders& orders_;
  const int stop_;
  std::array<char, 64 << 10> buffer_;
  std::string received_;  // from the client, not a complete request yet
  Answer answer_ = Answer::kPass;
  bool reset_ = false;
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

}  // namespace

const char* NameOf(ProxyFault fault) {
  static_assert(std::size(kNames) == static_cast<size_t>(ProxyFault::kHttp503) + 1);
  return kNames[static_cast<size_t>(fault)];
}

std::vector<ProxyFault> PassingFaults(bool http) {
  std::vector<ProxyFault> faults = {ProxyFault::kCutBefore,       ProxyFault::kCutWithin, ProxyFault::kCutAfter,
                                    ProxyFault::kCutWithinAnswer, ProxyFault::kGarbage,   ProxyFault::kDelay};
  if (http) {
    faults.insert(faults.end(),
                  {ProxyFault::kHttp429, ProxyFault::kHttp500, ProxyFault::kHttp502, ProxyFault::kHttp503});
  }
  return faults;
}

class FaultProxy::Impl {
 public:
  Impl(Protocol protocol, int server_port)
      : protocol_(protocol), server_port_(server_port), listener_(Listen(port_)), stop_(eventfd(0, EFD_CLOEXEC)) {
    if (stop_.get() < 0) throw std::runtime_error("eventfd");
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~Impl() {
    eventfd_write(stop_.get(), 1);
    acceptor_.join();
    relays_.clear();
  }

  int port() const { return port_; }
  FaultOrders& orders() { return orders_; }

 private:
  void Accept() {
    for (;;) {
      std::array<pollfd, 2> ready = {{{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
      if (poll(ready.data(), ready.size(), -1) < 0 && errno == EINTR) continue;
      if (ready[1].revents != 0) return;
      FileDescriptor client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      relays_.remove_if([](const std::unique_ptr<Relay>& relay) { return relay->done(); });
      if (client.get() < 0) continue;
      Prepare(client);
      auto framing = protocol_ == Protocol::kHttp ? HttpFraming() : PostgresFraming();
      relays_.push_back(
          std::make_unique<Relay>(std::move(client), server_port_, std::move(framing), orders_, stop_.get()));
    }
  }

  const Protocol protocol_;
  const int server_port_;
  int port_ = 0;
  FileDescriptor listener_;
  FileDescriptor stop_;
  FaultOrders orders_;
  std::list<std::unique_ptr<Relay>> relays_;  // used by the acceptor only, while it runs
  std::thread acceptor_;
};

FaultProxy::FaultProxy(Protocol protocol, int server_port) : impl_(std::make_unique<Impl>(protocol, server_port)) {}
FaultProxy::~FaultProxy() = default;

int FaultProxy::port() const { return impl_->port(); }
void FaultProxy::FaultAt(int64_t nth, ProxyFault fault) { impl_->orders().At(nth, fault); }
void FaultProxy::FaultOn(std::string text, ProxyFault fault) { impl_->orders().On(std::move(text), fault); }
void FaultProxy::FaultRandomly(uint64_t seed, double probability, std::vector<ProxyFault> faults) {
  impl_->orders().Randomly(seed, probability, std::move(faults));
}
void FaultProxy::ClearFaults() { impl_->orders().Clear(); }
void FaultProxy::SetDelay(std::chrono::milliseconds delay) { impl_->orders().SetDelay(delay); }
void FaultProxy::SetRetryAfter(std::chrono::seconds seconds) { impl_->orders().SetRetryAfter(seconds); }
int64_t FaultProxy::requests() const { return impl_->orders().requests(); }
int64_t FaultProxy::faults() const { return impl_->orders().faults(); }

}  // namespace flaky
