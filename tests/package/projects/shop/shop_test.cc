// The tests in all outside projects.

#include <gtest/gtest.h>

TEST(Shop, IsOpen) { EXPECT_EQ(6 * 7, 42); }

TEST(Shop, HasAPrice) { EXPECT_GT(1.5, 1); }
