#ifndef FLAKY_TESTS_SUPPORT_WAIT_FOR_H_
#define FLAKY_TESTS_SUPPORT_WAIT_FOR_H_

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace flaky {

// Waits until `condition()` is true and returns what it returned: a bool, or a pointer or optional with the value that
// was waited for. After `timeout` it throws, and GoogleTest reports "waited 60 s for WHAT" as the test's failure.
// Example:
//
//   WaitFor("the child's pid file", [&] { return std::filesystem::exists(pid_file); });
//
// The timeout only bounds a test that would otherwise hang. It is generous because a CI machine may stall for many
// seconds; do not shorten it to check speed. In a thread other than the test's, catch the exception.
template <typename Condition>
auto WaitFor(std::string_view what, Condition condition, std::chrono::milliseconds timeout = std::chrono::seconds(60)) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    // Taken before the condition is checked, so that it is checked once more after a stall that outlasts the timeout.
    const bool is_last = std::chrono::steady_clock::now() >= deadline;
    if (auto result = condition()) return result;
    if (is_last) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const double seconds = static_cast<double>(timeout.count()) / 1000;
  std::string number = std::to_string(seconds);
  number.erase(number.find_last_not_of('0') + 1);
  if (number.back() == '.') number.pop_back();
  throw std::runtime_error("waited " + number + " s for " + std::string(what));
}

}  // namespace flaky

#endif  // FLAKY_TESTS_SUPPORT_WAIT_FOR_H_
