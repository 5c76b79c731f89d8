// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "poll.h"
#include "spawn.h"

namespace {

// C++17 has no dynamic exception specifications.
struct Legacy {
  int Get() const throw(std::runtime_error) { return 4; }
};

TEST(Legacy, Works) {
  std::vector<int> numbers{1, 2, 3};
  std::random_shuffle(numbers.begin(), numbers.end());
  EXPECT_EQ(Legacy().Get(), 4);
}

TEST(Game, Polls) { EXPECT_EQ(strict::PollAll() + strict::SpawnEnemies(), 8); }

}  // namespace
