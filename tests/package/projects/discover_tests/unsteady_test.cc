#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

// Fails the first time and passes when it is repeated.
TEST(Unsteady, PassesInTheEnd) {
  EXPECT_TRUE(std::ifstream("unsteady_ran_before").good());
  std::ofstream("unsteady_ran_before") << "yes";
}

// The project's arguments reach gtest_discover_tests.
TEST(Unsteady, HasItsEnvironmentAndFixture) {
  const char* const colour = std::getenv("SHOP_COLOUR");
  EXPECT_STREQ(colour == nullptr ? "" : colour, "red");
  EXPECT_TRUE(std::ifstream("stock").good());
}
