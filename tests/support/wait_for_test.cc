#include "tests/support/wait_for.h"

#include <gmock/gmock.h>

#include <optional>

namespace flaky {
namespace {

TEST(WaitFor, ReturnsWhatTheConditionReturned) {
  int calls = 0;
  const std::optional<int> value =
      WaitFor("the third call", [&]() -> std::optional<int> { return ++calls == 3 ? std::optional(7) : std::nullopt; });
  EXPECT_EQ(value, 7);
  EXPECT_EQ(calls, 3);
}

TEST(WaitFor, SaysWhatItWaitedForWhenTheTimeIsUp) {
  const auto message = [](std::chrono::milliseconds timeout) -> std::string {
    try {
      WaitFor(
          "a server", [] { return false; }, timeout);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message(std::chrono::milliseconds(20)), "waited 0.02 s for a server");
  EXPECT_EQ(message(std::chrono::seconds(1)), "waited 1 s for a server");
}

TEST(WaitFor, ChecksOnceMoreWhenTheMachineStalledUntilTheTimeWasUp) {
  int calls = 0;
  const auto condition = [&] {
    if (++calls == 1) std::this_thread::sleep_for(std::chrono::milliseconds(20));  // simulates a stall
    return calls == 2;
  };
  EXPECT_TRUE(WaitFor("the second call", condition, std::chrono::milliseconds(1)));
}

}  // namespace
}  // namespace flaky
