// SPDX-License-Identifier: MIT

// One source, built for two backends, one of which lacks a feature; and an MPI test without MPI.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

TEST(Backend, Adds) { EXPECT_EQ(1 + 1, 2); }

TEST(Backend, HasDoubles) { EXPECT_TRUE(HAS_DOUBLES); }

TEST(Ranks, OnlyTheFirstPasses) {
  const char* const rank = std::getenv("PMI_RANK");
  EXPECT_EQ(std::string_view(rank == nullptr ? "0" : rank), "0");
}

TEST(Slow, NeverEnds) { sleep(600); }
