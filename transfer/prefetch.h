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

// Calls `produce` on a thread of its own, for the next value as soon as the last one is taken: there is never more than
// one. `produce` gives nothing at the end; what it throws comes out of Take, in its place. The destructor waits for a
// call in progress and makes no further one.
template <typename T>
class Prefetch {
 public:
  explicit Prefetch(std::function<std::optional<T>()> produce)
      : produce_(std::move(produce)), thread_([this](std::stop_token stop) { Run(stop); }) {}

  // The next value; absent at the end. Called by one thread, not again after the end or an exception.
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
  bool full_ = false;  // value_ and error_ are to be taken; both absent: the end
  std::optional<T> value_;
  std::exception_ptr error_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_PREFETCH_H_
