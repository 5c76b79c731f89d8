// SPDX-License-Identifier: MIT
#include "tests/servers/fault_orders.h"

#include <algorithm>

namespace flaky {

std::optional<ProxyFault> FaultOrders::FaultOf(std::string_view request) {
  const auto by_number =
      std::find_if(numbered_.begin(), numbered_.end(), [&](const auto& order) { return order.first == requests_; });
  if (by_number != numbered_.end()) {
    const ProxyFault fault = by_number->second;
    numbered_.erase(by_number);
    return fault;
  }
  const auto by_text = std::find_if(texts_.begin(), texts_.end(), [&](const auto& order) {
    return request.find(order.first) != std::string_view::npos;
  });
  if (by_text != texts_.end()) {
    const ProxyFault fault = by_text->second;
    texts_.erase(by_text);
    return fault;
  }
  if (random_faults_.empty() || !std::bernoulli_distribution(probability_)(random_)) return std::nullopt;
  return random_faults_[std::uniform_int_distribution<size_t>(0, random_faults_.size() - 1)(random_)];
}

FaultOrders::Verdict FaultOrders::Judge(std::string_view request) {
  const std::lock_guard lock(mutex_);
  ++requests_;
  Verdict verdict{FaultOf(request), faults_ % 2 == 1, delay_, retry_after_};
  if (verdict.fault) ++faults_;
  return verdict;
}

void FaultOrders::At(int64_t nth, ProxyFault fault) {
  const std::lock_guard lock(mutex_);
  numbered_.emplace_back(requests_ + nth, fault);
}

void FaultOrders::On(std::string text, ProxyFault fault) {
  const std::lock_guard lock(mutex_);
  texts_.emplace_back(std::move(text), fault);
}

void FaultOrders::Randomly(uint64_t seed, double probability, std::vector<ProxyFault> faults) {
  const std::lock_guard lock(mutex_);
  random_.seed(seed);
  probability_ = probability;
  random_faults_ = std::move(faults);
}

void FaultOrders::Clear() {
  const std::lock_guard lock(mutex_);
  numbered_.clear();
  texts_.clear();
  random_faults_.clear();
}

void FaultOrders::SetDelay(std::chrono::milliseconds delay) {
  const std::lock_guard lock(mutex_);
  delay_ = delay;
}

void FaultOrders::SetRetryAfter(std::chrono::seconds seconds) {
  const std::lock_guard lock(mutex_);
  retry_after_ = seconds;
}

int64_t FaultOrders::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

int64_t FaultOrders::faults() const {
  const std::lock_guard lock(mutex_);
  return faults_;
}

}  // namespace flaky
