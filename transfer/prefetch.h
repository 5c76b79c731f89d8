// SPDX-License-Identifier: MIT
#ifndef FLAKY_TRANSFER_PREFETCH_H_
#define FLAKY_TRANSFER_PREFETCH_H_

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace flaky {

// Calls `produce` on a separate thread. As soon as a value is taken, the next one is produced; at most one value waits.
// `produce` returns nullopt at the end. An exception that it throws is rethrown by Take in the place of the value. The
// destructor waits for a call that is in progress and makes no further call.
template <typename T>
class Prefetch {
 public:
  explicit Prefetch(std::function<std::optional<T>()> produce)
      : produce_(std::move(produce)), thread_([this](std::stop_token stop) { Run(stop); }) {}

  // Returns the next value; nullopt at the end. Call it from one thread, and not again after the end or an exception.
  std::optional<T> Take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return full_; });
    if (error_) std::rethrow_exception(error_);
    full_ = false;
    std::optional<T> value = std::exchange(value_, std::nullopt);
    lock.unlock();
    changed_.notify_all();
    return value;
  }

 private:
  void Run(const std::stop_token& stop) {
    for (bool more = true; more;) {
      {
        std::unique_lock lock(mutex_);
        if (!changed_.wait(lock, stop, [this] { return !full_; })) return;
      }
      std::optional<T> value;
      std::exception_ptr error;
      try {
        value = produce_();
      } catch (...) {
        error = std::current_exception();
      }
      more = value.has_value();
      std::unique_lock lock(mutex_);
      value_ = std::move(value);
      error_ = error;
      full_ = true;
      lock.unlock();
      changed_.notify_all();
    }
  }

  std::function<std::optional<T>()> produce_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool full_ = false;  // value_ or error_ can be taken; both are absent at the end
  std::optional<T> value_;
  std::exception_ptr error_;
  std::jthread thread_;  // last: it uses the members above
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_PREFETCH_H_
