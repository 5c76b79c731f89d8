#ifndef FLAKY_TESTS_SERVERS_FAULT_PROXY_H_
#define FLAKY_TESTS_SERVERS_FAULT_PROXY_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace flaky {

// What happens to a request. A cut ends the connection to the client and the one to the server; every second time by a
// reset (RST) instead of an orderly end.
enum class ProxyFault {
  kCutBefore,        // cut before the server receives any of the request
  kCutWithin,        // cut after the server has received half of the request
  kCutAfter,         // cut when the server begins to answer: the request took effect, but the client gets no answer
  kCutWithinAnswer,  // as kCutAfter, but the client gets half of the first bytes of the answer
  kGarbage,          // the server receives the request; the client gets bytes that are not an answer, then a cut
  kHang,             // the server receives the request; the client gets nothing more, and no cut
  kDelay,            // the server receives the request later
  kHttp429,          // the server does not receive the request; the proxy answers, with Retry-After. HTTP only
  kHttp500,          // as kHttp429 with other statuses, without Retry-After
  kHttp502,
  kHttp503,
};
const char* NameOf(ProxyFault fault);
inline std::ostream& operator<<(std::ostream& out, ProxyFault fault) { return out << NameOf(fault); }

// Returns the faults that end by themselves: all except for kHang, and those for HTTP only if `http`.
std::vector<ProxyFault> PassingFaults(bool http);

// A proxy on 127.0.0.1 in front of a server on 127.0.0.1, in threads of this process. It forwards everything, except
// for requests for which a fault was ordered. There is no encryption. The functions may be called from any thread; the
// destructor ends all connections.
class FaultProxy {
 public:
  // The protocol decides what a request is: see request_framing.h. In PostgreSQL's, the start-up packets and passwords
  // are requests too. Each `Query` is a request, so the last request of a transaction is its COMMIT.
  enum class Protocol { kHttp, kPostgres };

  FaultProxy(Protocol protocol, int server_port);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  int port() const;

  // Orders the fault for the nth request from now (1: the next one), counted over all connections. Earlier orders stay.
  void FaultAt(int64_t nth, ProxyFault fault);
  // Orders the fault for the next request that contains this text.
  void FaultOn(std::string text, ProxyFault fault);
  // From now on, each request for which there is no other order meets, with this probability, one of the faults, all
  // equally likely. With one client at a time, the same seed gives the same faults.
  void FaultRandomly(uint64_t seed, double probability, std::vector<ProxyFault> faults);
  // Cancels all orders. Connections that hang stay so.
  void ClearFaults();

  void SetDelay(std::chrono::milliseconds delay);    // for kDelay; default 50 ms
  void SetRetryAfter(std::chrono::seconds seconds);  // for kHttp429; default 0 s

  // Return the number of complete requests, and of those that met a fault, since the proxy was created.
  int64_t requests() const;
  int64_t faults() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_SERVERS_FAULT_PROXY_H_
