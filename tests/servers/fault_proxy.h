#ifndef FLAKY_TESTS_SERVERS_FAULT_PROXY_H_
#define FLAKY_TESTS_SERVERS_FAULT_PROXY_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace flaky {

// What happens to a request. "Cut" ends both the client's connection and the server's, every other time by a reset
// (RST) instead of an orderly end.
enum class ProxyFault {
  kCutBefore,        // cut before the server has any of the request
  kCutWithin,        // cut when the server has half of it
  kCutAfter,         // cut when the server has the whole of it and begins to answer: it took effect, nobody was told
  kCutWithinAnswer,  // the same, with the first half of what the server sent first delivered
  kGarbage,          // the server gets it; the client gets bytes that are no answer, and a cut
  kHang,             // the server gets it; the client gets nothing more, and no cut
  kDelay,            // the server gets it later
  kHttp429,          // the server does not get it; the proxy answers, with Retry-After
  kHttp500,          // the same with other statuses; HTTP only, as 429
  kHttp502,
  kHttp503,
};
const char* NameOf(ProxyFault fault);
inline std::ostream& operator<<(std::ostream& out, ProxyFault fault) { return out << NameOf(fault); }

// The faults that take a connection or a moment, and end by themselves: all but kHang.
std::vector<ProxyFault> PassingFaults(bool http);

// A proxy on 127.0.0.1 before a server on 127.0.0.1, in threads of this process, which does to requests what it is told
// to. Without orders it passes everything on. There is no encryption. The functions may be called from any thread; the
// destructor ends all connections.
class FaultProxy {
 public:
  // How requests are told apart: request_framing.h. With PostgreSQL the start-up packets and passwords are requests,
  // too; each `Query` is one, so the last request of a transaction is its COMMIT.
  enum class Protocol { kHttp, kPostgres };

  FaultProxy(Protocol protocol, int server_port);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  int port() const;

  // The nth request from now on (1: the next one), counted over all connections, meets the fault. Orders add up.
  void FaultAt(int64_t nth, ProxyFault fault);
  // The next request that holds this text meets the fault.
  void FaultOn(std::string text, ProxyFault fault);
  // From now on a request that no other order is about meets one of the faults, each as likely, with this probability.
  // With one client at a time the same seed gives the same faults.
  void FaultRandomly(uint64_t seed, double probability, std::vector<ProxyFault> faults);
  // Takes all orders back. What hangs goes on hanging.
  void ClearFaults();

  void SetDelay(std::chrono::milliseconds delay);    // of kDelay; 50 ms
  void SetRetryAfter(std::chrono::seconds seconds);  // of kHttp429; 0 s

  // So many requests arrived whole, and so many met a fault, since the proxy was made.
  int64_t requests() const;
  int64_t faults() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_SERVERS_FAULT_PROXY_H_
