// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_CONTRACT_SERVER_POOL_H_
#define FLAKY_TESTS_CONTRACT_SERVER_POOL_H_

#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace flaky {

// Servers of one kind, for places that need one each. A test has at most two places at once, and a server that a place
// gives back serves the next one.
template <typename Server>
class ServerPool {
 public:
  // `reset`: what makes a used server ready for its next place.
  explicit ServerPool(
      typename Server::Options options, std::function<void(Server&)> reset = [](Server&) {})
      : options_(std::move(options)), reset_(std::move(reset)) {}

  std::unique_ptr<Server> Take() {
    if (idle_.empty()) return std::make_unique<Server>(options_);
    std::unique_ptr<Server> server = std::move(idle_.back());
    idle_.pop_back();
    reset_(*server);
    return server;
  }
  void Give(std::unique_ptr<Server> server) { idle_.push_back(std::move(server)); }

 private:
  const typename Server::Options options_;
  const std::function<void(Server&)> reset_;
  std::vector<std::unique_ptr<Server>> idle_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_CONTRACT_SERVER_POOL_H_
