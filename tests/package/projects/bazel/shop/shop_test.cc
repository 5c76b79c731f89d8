// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace {

TEST(Shop, IsOpen) {}
TEST(Shop, IsClean) {}
TEST(Shop, IsFull) {}

// Fails twice, then passes.
TEST(Shop, Recovers) {
  const std::string file = std::string(std::getenv("SHOP_STATE")) + "/attempts";
  int attempts = 0;
  std::ifstream(file) >> attempts;
  std::ofstream(file) << ++attempts;
  EXPECT_EQ(attempts % 3, 0);
}

TEST(Shop, Crashes) { std::abort(); }
TEST(Shop, Hangs) { pause(); }

}  // namespace
