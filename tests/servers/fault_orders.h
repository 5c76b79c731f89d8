#ifndef FLAKY_TESTS_SERVERS_FAULT_ORDERS_H_
#define FLAKY_TESTS_SERVERS_FAULT_ORDERS_H_

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/servers/fault_proxy.h"

namespace flaky {

// Decides which request meets which fault, and counts both. Thread-safe.
class FaultOrders {
 public:
  struct Verdict {
    std::optional<ProxyFault> fault;
    bool reset = false;  // a cut is made by a reset
    std::chrono::milliseconds delay{};
    std::chrono::seconds retry_after{};
  };
  // Counts the request and decides what happens to it.
  Verdict Judge(std::string_view request);

  void At(int64_t nth, ProxyFault fault);
  void On(std::string text, ProxyFault fault);
  void Randomly(uint64_t seed, double probability, std::vector<ProxyFault> faults);
  void Clear();
  void SetDelay(std::chrono::milliseconds delay);
  void SetRetryAfter(std::chrono::seconds seconds);
  int64_t requests() const;
  int64_t faults() const;

 private:
  std::optional<ProxyFault> FaultOf(std::string_view request);

  mutable std::mutex mutex_;
  std::vector<std::pair<int64_t, ProxyFault>> numbered_;  // by the number since the beginning
  std::vector<std::pair<std::string, ProxyFault>> texts_;
  std::vector<ProxyFault> random_faults_;
  double probability_ = 0;
  std::mt19937_64 random_;
  std::chrono::milliseconds delay_{50};
  std::chrono::seconds retry_after_{0};
  int64_t requests_ = 0;
  int64_t faults_ = 0;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_SERVERS_FAULT_ORDERS_H_
